# Functions for PowerShell 5.1 and newer:  . ./ErrorStack.ps1
#
#   Send-ErrorStackError $_                        in a catch block or a trap
#   Send-ErrorStackError "disk full" @{ used = 93 }
#   Send-ErrorStackLog "backup begins"
#
# Settings, in the environment: ERRORSTACK_KEY, ERRORSTACK_URL, and if wanted ERRORSTACK_RELEASE and
# ERRORSTACK_ENVIRONMENT. Nothing here throws; a request takes 3 seconds at most.

function Send-ErrorStackError {
    param([Parameter(Mandatory)] $What, [hashtable] $More = @{})
    $fields = [ordered]@{ Msg = "$What"; host = [Environment]::MachineName; _id = [guid]::NewGuid().ToString("N") }
    if ($What -is [System.Management.Automation.ErrorRecord]) {
        $fields.Msg = $What.Exception.Message
        $fields.Type = $What.Exception.GetType().FullName
        $fields.File = $What.InvocationInfo.ScriptName
        $fields.Line = $What.InvocationInfo.ScriptLineNumber
        $fields.StackTrace = $What.ScriptStackTrace
    }
    foreach ($name in $More.Keys) { $fields[$name] = $More[$name] }
    if ($env:ERRORSTACK_RELEASE) { $fields.release = $env:ERRORSTACK_RELEASE }
    if ($env:ERRORSTACK_ENVIRONMENT) { $fields.environment = $env:ERRORSTACK_ENVIRONMENT }
    Send-ErrorStackForm "/submit" $fields 3
}

function Send-ErrorStackLog {
    param([Parameter(Mandatory)] [string] $Message)
    Send-ErrorStackForm "/log" ([ordered]@{ _msg = $Message }) 1
}

function Send-ErrorStackForm {
    param([string] $Path, $Fields, [int] $Tries)
    if (-not ($env:ERRORSTACK_KEY -and $env:ERRORSTACK_URL)) { return }
    $pairs = @("_s=" + [uri]::EscapeDataString($env:ERRORSTACK_KEY), "_r=json")
    foreach ($name in $Fields.Keys) {
        if ($null -eq $Fields[$name]) { continue }
        $text = "$($Fields[$name])"
        if ($text.Length -gt 16000) { $text = $text.Substring(0, 16000) }
        $pairs += [uri]::EscapeDataString($name) + "=" + [uri]::EscapeDataString($text)
    }
    $request = @{
        Uri = $env:ERRORSTACK_URL.TrimEnd("/") + $Path; Method = "Post"; TimeoutSec = 3
        ContentType = "application/x-www-form-urlencoded"; Body = $pairs -join "&"
        MaximumRedirection = 0; UseBasicParsing = $true; ErrorAction = "Stop"
    }
    for ($number = 0; $number -lt $Tries; $number++) {
        try { Invoke-RestMethod @request | Out-Null; return } catch { Start-Sleep -Milliseconds 200 }
    }
}
