using System;
using System.Threading.Tasks;

namespace ErrorStack
{
    /// <summary>The client of a program that sends to one stack: start it once, call it anywhere.</summary>
    /// <remarks>
    /// Nothing here throws. Before <see cref="Start(ErrorStackOptions)"/> nothing is sent. A program
    /// with several stacks makes a <see cref="StackClient"/> for each.
    /// </remarks>
    public static class ErrorStackClient
    {
        private static readonly object Lock = new object();
        private static volatile StackClient _current;

        /// <summary>What the calls below go to; null before the start and after <see cref="Close"/>.</summary>
        public static StackClient Current { get { return _current; } }

        /// <summary>Begin to send, and watch for exceptions that nobody catches.</summary>
        public static StackClient Start(string key, string endpoint)
        {
            return Start(new ErrorStackOptions { Key = key, Endpoint = endpoint });
        }

        /// <summary>Begin to send, and watch for exceptions that nobody catches. A client that was
        /// started earlier is closed, without waiting.</summary>
        public static StackClient Start(ErrorStackOptions options)
        {
            lock (Lock)
            {
                Stop(TimeSpan.Zero);
                var client = new StackClient(options);
                client.WatchUnhandled();
                return _current = client;
            }
        }

        /// <summary>Queue an error: an exception, a text, or fields; and more fields. Returns at once.</summary>
        /// <returns>False when it will not be sent.</returns>
        public static bool Submit(object what, object fields = null)
        {
            var client = _current;
            return client != null && client.Submit(what, fields);
        }

        /// <summary>Queue an error. The task tells whether it was stored; it never fails.</summary>
        public static Task<bool> SubmitAsync(object what, object fields = null)
        {
            var client = _current;
            return client == null ? StackClient.No : client.SubmitAsync(what, fields);
        }

        /// <summary>Send an error and wait, at most <paramref name="timeout"/> (3 s unless given), until
        /// it is stored.</summary>
        public static bool SubmitAndWait(object what, object fields = null, TimeSpan? timeout = null)
        {
            var client = _current;
            return client != null && client.SubmitAndWait(what, fields, timeout);
        }

        /// <summary>Queue a log message: a text, or fields. Returns at once.</summary>
        public static bool Log(object what)
        {
            var client = _current;
            return client != null && client.Log(what);
        }

        /// <summary>Queue a log message. The task tells whether it was stored; it never fails.</summary>
        public static Task<bool> LogAsync(object what)
        {
            var client = _current;
            return client == null ? StackClient.No : client.LogAsync(what);
        }

        /// <summary>Wait until everything is sent or given up; false when that took too long.</summary>
        public static bool Flush(TimeSpan timeout)
        {
            var client = _current;
            return client == null || client.Flush(timeout);
        }

        /// <summary>Send what waits, try nothing twice, and take nothing more.</summary>
        public static bool Close(TimeSpan timeout)
        {
            lock (Lock)
            {
                return Stop(timeout);
            }
        }

        private static bool Stop(TimeSpan timeout)
        {
            var client = _current;
            _current = null;
            return client == null || client.Close(timeout);
        }
    }
}
