using System;
using System.Threading.Tasks;

namespace ErrorStack
{
    /// <summary>Exceptions that nobody caught, and the end of the process or of its application domain.</summary>
    internal sealed class Hooks
    {
        private readonly StackClient _client;

        internal Hooks(StackClient client)
        {
            _client = client;
        }

        internal void WatchExit()
        {
            AppDomain.CurrentDomain.ProcessExit += OnExit;
            AppDomain.CurrentDomain.DomainUnload += OnExit; // a web site that is recycled
        }

        internal void WatchUnhandled()
        {
            AppDomain.CurrentDomain.UnhandledException -= OnUnhandled;
            AppDomain.CurrentDomain.UnhandledException += OnUnhandled;
            TaskScheduler.UnobservedTaskException -= OnUnobserved;
            TaskScheduler.UnobservedTaskException += OnUnobserved;
        }

        internal void Remove()
        {
            AppDomain.CurrentDomain.ProcessExit -= OnExit;
            AppDomain.CurrentDomain.DomainUnload -= OnExit;
            AppDomain.CurrentDomain.UnhandledException -= OnUnhandled;
            TaskScheduler.UnobservedTaskException -= OnUnobserved;
        }

        private void OnExit(object sender, EventArgs e)
        {
            _client.Close(StackClient.ExitTimeout);
        }

        private void OnUnhandled(object sender, UnhandledExceptionEventArgs e)
        {
            _client.Submit(e.ExceptionObject, new { level = "fatal", hook = "UnhandledException" });
            if (e.IsTerminating) // no exit handler runs after this one
            {
                _client.Close(StackClient.ExitTimeout);
            }
        }

        private void OnUnobserved(object sender, UnobservedTaskExceptionEventArgs e)
        {
            foreach (var thrown in e.Exception.Flatten().InnerExceptions)
            {
                _client.Submit(thrown, new { hook = "UnobservedTaskException" });
            }
        }
    }
}
