using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;

namespace ErrorStack
{
    /// <summary>Sends what a program says by <see cref="Trace"/> or a <see cref="TraceSource"/>: errors as
    /// errors, the rest as log messages, which are shown with the errors that follow.</summary>
    /// <remarks>Named in app.config or web.config it needs no code. Its <see cref="TraceListener.Filter"/>
    /// says from which level on; <c>Trace.Write</c> has none and is not sent.</remarks>
    public sealed class ErrorStackTraceListener : TraceListener
    {
        /// <summary>Whether several threads may use it at once.</summary>
        public override bool IsThreadSafe { get { return true; } }

        /// <summary>Not sent.</summary>
        public override void Write(string message)
        {
        }

        /// <summary>Not sent.</summary>
        public override void WriteLine(string message)
        {
        }

        /// <summary>Send an assertion that failed.</summary>
        public override void Fail(string message, string detailMessage)
        {
            ErrorStackClient.Submit(message, new { detail = detailMessage });
        }

        /// <summary>Send a message.</summary>
        public override void TraceEvent(
            TraceEventCache eventCache, string source, TraceEventType eventType, int id, string message)
        {
            Send(eventCache, source, eventType, id, message, null, message);
        }

        /// <summary>Send a message made of a template and its arguments.</summary>
        public override void TraceEvent(
            TraceEventCache eventCache, string source, TraceEventType eventType, int id, string format, params object[] args)
        {
            Send(eventCache, source, eventType, id, format, args, Formatted(format, args));
        }

        /// <summary>Send an exception, or what else is handed over.</summary>
        public override void TraceData(
            TraceEventCache eventCache, string source, TraceEventType eventType, int id, object data)
        {
            Send(eventCache, source, eventType, id, null, null, data);
        }

        private void Send(
            TraceEventCache cache, string source, TraceEventType type, int id, string format, object[] args, object what)
        {
            if (Filter != null && !Filter.ShouldTrace(cache, source, type, id, format, args, what, null))
            {
                return;
            }
            if (type > TraceEventType.Error) // a greater one is a lesser trouble
            {
                ErrorStackClient.Log(what is Exception ? FieldReader.Text(what) : what);
                return;
            }
            ErrorStackClient.Submit(what, new Dictionary<string, object>
            {
                { "name", what is Exception ? null : source },
                { "source", source },
                { "level", type == TraceEventType.Critical ? "fatal" : "error" },
                { "event", id == 0 ? (object)null : id }
            });
        }

        private static string Formatted(string format, object[] args)
        {
            try
            {
                return args == null || args.Length == 0
                    ? format
                    : string.Format(CultureInfo.InvariantCulture, format, args);
            }
            catch (Exception) // of a template that does not fit, or of an argument's own ToString
            {
                return format;
            }
        }
    }
}
