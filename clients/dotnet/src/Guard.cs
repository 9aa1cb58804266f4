using System;
using System.Diagnostics;

namespace ErrorStack
{
    /// <summary>Knows when a thread is already inside the client: a value's ToString, a scrub hook or a
    /// trace listener may report an error of its own, and sending that too would go round for ever.</summary>
    internal sealed class Guard : IDisposable
    {
        private static readonly Guard Exit = new Guard();

        [ThreadStatic]
        private static bool _isInside;

        internal static bool IsInside { get { return _isInside; } }

        internal static IDisposable Enter()
        {
            _isInside = true;
            return Exit;
        }

        public void Dispose()
        {
            _isInside = false;
        }
    }

    /// <summary>Time that no change of the system's clock moves.</summary>
    internal static class Clock
    {
        private static readonly Stopwatch Watch = Stopwatch.StartNew();

        internal static TimeSpan Now { get { return Watch.Elapsed; } }
    }

    /// <summary>Says what is wrong once, until something else is: a log must not fill with it.</summary>
    internal sealed class Problems
    {
        private readonly Action<string> _told;
        private volatile string _last = "";

        internal Problems(Action<string> told)
        {
            _told = told ?? (problem => Trace.TraceWarning("ErrorStack: {0}", problem));
        }

        internal string Last { get { return _last; } }

        internal void Tell(string problem)
        {
            if (problem == _last)
            {
                return;
            }
            _last = problem;
            try
            {
                _told(problem);
            }
            catch (Exception)
            {
                // The program's own listener failed; there is nobody else to tell.
            }
        }
    }
}
