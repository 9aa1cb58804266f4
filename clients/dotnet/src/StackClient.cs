using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

namespace ErrorStack
{
    /// <summary>Sends to one stack of one server, in the background.</summary>
    /// <remarks>
    /// Nothing here throws, and only what is told how long to wait waits. What is not sent is counted,
    /// and the next error that is sent tells the counts in fields <c>dropped_…</c>.
    /// </remarks>
    public sealed class StackClient : IDisposable
    {
        /// <summary>How long the end of the process waits for what is still to be sent. The .NET Framework
        /// gives all of a process's exit handlers 2 s together.</summary>
        public static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(1.5);

        internal static readonly Task<bool> No = Task.FromResult(false);

        private readonly List<KeyValuePair<string, object>> _always;
        private readonly Gate _errors;
        private readonly Gate _logs;
        private readonly Losses _losses = new Losses();
        private readonly Problems _problems;
        private readonly Outbox _outbox;
        private readonly Hooks _hooks;
        private readonly ConditionalWeakTable<Exception, object> _reported =
            new ConditionalWeakTable<Exception, object>();
        private readonly TimeSpan _dedupe;

        /// <summary>Make a client; it sends from its first message on.</summary>
        public StackClient(ErrorStackOptions options)
        {
            options = options ?? new ErrorStackOptions();
            _problems = new Problems(options.OnProblem);
            _dedupe = options.Dedupe;
            _errors = new Gate(options.PerMinute, options.Dedupe);
            _logs = new Gate(options.PerMinute, TimeSpan.Zero);
            _always = Always(options);
            _hooks = new Hooks(this);
            var transport = NewTransport(options);
            if (transport != null)
            {
                var sender = new Sender(options.Key.Trim(), transport, options.Scrub, _losses, _problems);
                _outbox = new Outbox(sender, _losses, options.MaxQueue);
                _hooks.WatchExit();
            }
        }

        /// <summary>Whether there is a key and an endpoint to send to.</summary>
        public bool IsEnabled { get { return _outbox != null; } }

        /// <summary>What last went wrong, also if it went well since; "" when nothing did.</summary>
        public string LastProblem { get { return _problems.Last; } }

        /// <summary>Queue an error: an exception, a text, or fields; and more fields. Returns at once.</summary>
        /// <remarks>Fields are a dictionary or an object's properties. The same exception is sent once
        /// within <see cref="ErrorStackOptions.Dedupe"/>, however many layers report it.</remarks>
        /// <returns>False when it will not be sent.</returns>
        public bool Submit(object what, object fields = null)
        {
            return Offer(Report.SubmitPath, what, fields) != null;
        }

        /// <summary>Queue an error. The task tells whether it was stored; it never fails.</summary>
        public Task<bool> SubmitAsync(object what, object fields = null)
        {
            var report = Offer(Report.SubmitPath, what, fields);
            return report == null ? No : report.Stored;
        }

        /// <summary>Send an error and wait, at most <paramref name="timeout"/> (3 s unless given), until
        /// it is stored.</summary>
        public bool SubmitAndWait(object what, object fields = null, TimeSpan? timeout = null)
        {
            var report = Offer(Report.SubmitPath, what, fields);
            if (report == null)
            {
                return false;
            }
            _outbox.Hurry();
            return report.Stored.Wait(AtMost(timeout ?? Transport.MaxTimeout)) && report.Stored.Result;
        }

        /// <summary>Queue a log message: a text, or fields. Returns at once.</summary>
        public bool Log(object what)
        {
            return Offer(Report.LogPath, what, null) != null;
        }

        /// <summary>Queue a log message. The task tells whether it was stored; it never fails.</summary>
        public Task<bool> LogAsync(object what)
        {
            var report = Offer(Report.LogPath, what, null);
            return report == null ? No : report.Stored;
        }

        /// <summary>Submit exceptions that nobody catches, in threads and in tasks, until the client is
        /// closed. What the platform does with them stays as it is.</summary>
        public void WatchUnhandled()
        {
            if (IsEnabled)
            {
                _hooks.WatchUnhandled();
            }
        }

        /// <summary>Wait until everything is sent or given up; false when that took too long.</summary>
        public bool Flush(TimeSpan timeout)
        {
            return _outbox == null || (!Guard.IsInside && _outbox.Flush(AtMost(timeout)));
        }

        /// <summary>Send what waits, try nothing twice, and take nothing more. False as of
        /// <see cref="Flush"/>.</summary>
        public bool Close(TimeSpan timeout)
        {
            _hooks.Remove();
            return _outbox == null || (!Guard.IsInside && _outbox.Close(AtMost(timeout)));
        }

        /// <summary>Close, waiting <see cref="ExitTimeout"/> at most.</summary>
        public void Dispose()
        {
            Close(ExitTimeout);
        }

        private Transport NewTransport(ErrorStackOptions options)
        {
            if (string.IsNullOrWhiteSpace(options.Key))
            {
                _problems.Tell("nothing will be sent: there is no stack key");
                return null;
            }
            Uri endpoint;
            if (!Transport.TryRead(options.Endpoint, out endpoint))
            {
                _problems.Tell("nothing will be sent: the endpoint is no http or https address: " + options.Endpoint);
                return null;
            }
            return new Transport(endpoint, options.Timeout, options.HttpHandler);
        }

        private Report Offer(string path, object what, object fields)
        {
            if (_outbox == null || Guard.IsInside)
            {
                return null;
            }
            using (Guard.Enter())
            {
                try
                {
                    return Take(path, what, fields);
                }
                catch (Exception failure) // of a value's own code, or of a stack or heap that is full
                {
                    _losses.Add("unreadable");
                    _problems.Tell("not readable: " + failure.GetType().Name);
                    return null;
                }
            }
        }

        private Report Take(string path, object what, object fields)
        {
            var gate = path == Report.SubmitPath ? _errors : _logs;
            var thrown = what as Exception;
            if (thrown != null && path == Report.SubmitPath && IsReported(thrown))
            {
                return null;
            }
            if (gate.IsFull()) // before anything is read: a storm must cost nothing
            {
                _losses.Add("limit");
                return null;
            }
            var said = new FieldReader();
            said.Read(what, path == Report.SubmitPath ? "Message" : "_msg");
            said.ReadMore(fields);
            if (path == Report.SubmitPath)
            {
                said.ReadMore(_always);
            }
            var report = new Report(path, said.Texts);
            var refusal = gate.Refusal(report.Sameness());
            if (refusal != null)
            {
                _losses.Add(refusal);
                return null;
            }
            return _outbox.Put(report) ? report : null;
        }

        /// <summary>Say whether this exception was sent a moment ago, and remember that it now is.</summary>
        private bool IsReported(Exception thrown)
        {
            lock (_reported)
            {
                object at;
                if (_reported.TryGetValue(thrown, out at) && Clock.Now - (TimeSpan)at < _dedupe)
                {
                    return true;
                }
                _reported.Remove(thrown);
                _reported.Add(thrown, Clock.Now);
                return false;
            }
        }

        private static List<KeyValuePair<string, object>> Always(ErrorStackOptions options)
        {
            var found = new List<KeyValuePair<string, object>>();
            if (options.Fields != null)
            {
                found.AddRange(options.Fields);
            }
            found.Add(new KeyValuePair<string, object>("release", options.Release));
            found.Add(new KeyValuePair<string, object>("environment", options.Environment));
            found.Add(new KeyValuePair<string, object>("host", Environment.MachineName));
            found.Add(new KeyValuePair<string, object>("Platform", RuntimeInformation.FrameworkDescription));
            return found;
        }

        private static TimeSpan AtMost(TimeSpan timeout)
        {
            var day = TimeSpan.FromDays(1);
            return timeout < TimeSpan.Zero ? TimeSpan.Zero : timeout > day ? day : timeout;
        }
    }
}
