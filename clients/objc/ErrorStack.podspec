Pod::Spec.new do |s|
  s.name         = 'ErrorStack'
  s.version      = '0.1.0'
  s.summary      = 'Send exceptions and errors to an ErrorStack server; what ends the app is delivered at its next launch.'
  s.description  = 'Queues on disk, retries, and never slows or breaks the app. With and without ARC.'
  s.homepage     = 'https://errors.example.com'
  s.license      = { :type => 'MIT', :file => 'LICENSE' }
  s.authors      = 'the ErrorStack Live authors'
  s.source       = { :http => 'https://errors.example.com/clients/errorstack-objc.zip' }
  s.ios.deployment_target = '9.0'
  s.osx.deployment_target = '10.11'
  s.tvos.deployment_target = '9.0'
  s.source_files = 'Sources/ErrorStack/**/*.{h,m}'
  s.public_header_files = 'Sources/ErrorStack/include/ErrorStack/*.h'
  s.frameworks   = 'Foundation'
  s.requires_arc = true
end
