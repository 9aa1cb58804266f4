using System;
using System.Collections.Generic;
using System.Threading;

namespace ErrorStack
{
    /// <summary>The bounded queue between the program's threads and the one that sends.</summary>
    /// <remarks>The thread starts with the first report.</remarks>
    internal sealed class Outbox
    {
        /// <summary>After it, a report that cannot be delivered is given up. The server knows an error
        /// that comes again, by its <c>_id</c>, for an hour.</summary>
        private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(15);

        private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
        private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

        private readonly Sender _sender;
        private readonly Losses _losses;
        private readonly int _maxQueue;
        private readonly object _changed = new object();
        private readonly Queue<Report> _waiting = new Queue<Report>();
        private readonly Random _chance = new Random();
        private TimeSpan _pause = FirstPause;
        private Thread _thread;
        private bool _isSending;
        private bool _isClosed;
        private bool _isHurried;

        internal Outbox(Sender sender, Losses losses, int maxQueue)
        {
            _sender = sender;
            _losses = losses;
            _maxQueue = Math.Max(maxQueue, 1);
        }

        /// <summary>Queue a report; false when the outbox is closed. Never waits for the network.</summary>
        internal bool Put(Report report)
        {
            lock (_changed)
            {
                if (_isClosed)
                {
                    return false;
                }
                if (_waiting.Count >= _maxQueue)
                {
                    _waiting.Dequeue().End(false);
                    _losses.Add("queue");
                }
                _waiting.Enqueue(report);
                Monitor.PulseAll(_changed);
                if (_thread == null)
                {
                    _thread = new Thread(Run) { IsBackground = true, Name = "errorstack-client" };
                    _thread.Start();
                }
                return true;
            }
        }

        /// <summary>Try again now what waits for its next attempt, unless the server named a time.</summary>
        internal void Hurry()
        {
            lock (_changed)
            {
                _isHurried = true;
                Monitor.PulseAll(_changed);
            }
        }

        /// <summary>Wait until nothing waits; false when something still does after the timeout.</summary>
        internal bool Flush(TimeSpan timeout)
        {
            var end = Clock.Now + timeout;
            lock (_changed)
            {
                Hurry();
                return WaitUntil(() => _waiting.Count == 0 && !_isSending, end);
            }
        }

        /// <summary>Take no more, try what waits once, and end. What fails now is given up at once.</summary>
        internal bool Close(TimeSpan timeout)
        {
            lock (_changed)
            {
                _isClosed = true;
            }
            return Flush(timeout);
        }

        private void Run()
        {
            using (Guard.Enter()) // what a scrub hook reports is not sent
            {
                for (var report = Next(); report != null; report = Next())
                {
                    var isStored = false;
                    try
                    {
                        var parcel = _sender.Pack(report);
                        isStored = parcel != null && Deliver(parcel);
                    }
                    catch (Exception) // as memory that is full; the thread must live
                    {
                        _losses.Add("unsent");
                    }
                    report.End(isStored);
                }
            }
        }

        private Report Next()
        {
            lock (_changed)
            {
                _isSending = false;
                Monitor.PulseAll(_changed);
                while (_waiting.Count == 0 && !_isClosed)
                {
                    Monitor.Wait(_changed);
                }
                if (_waiting.Count == 0)
                {
                    _sender.Drop();
                    return null;
                }
                _isSending = true;
                return _waiting.Dequeue();
            }
        }

        private bool Deliver(Parcel parcel)
        {
            var answer = _sender.Post(parcel);
            while (answer.Fate != Fate.Stored && answer.Fate != Fate.Refused && GoesOn(parcel.Report, answer))
            {
                answer = _sender.Post(parcel);
            }
            if (answer.Fate == Fate.Stored || answer.Fate == Fate.Refused)
            {
                _pause = FirstPause;
            }
            if (answer.Fate != Fate.Stored)
            {
                _sender.GiveUp(parcel, answer);
            }
            return answer.Fate == Fate.Stored;
        }

        /// <summary>Wait for the time of the next attempt; false when there is to be none.</summary>
        private bool GoesOn(Report report, Answer answer)
        {
            // A log message has no id that would keep a second copy out.
            var isTwice = report.IsLog && answer.Fate == Fate.Unknown;
            if (isTwice || report.Age > MaxAge)
            {
                return false;
            }
            lock (_changed)
            {
                var wasClosed = _isClosed;
                if (!wasClosed)
                {
                    Pause(answer.RetryAfter);
                }
                if (wasClosed || (_isClosed && answer.RetryAfter > TimeSpan.Zero))
                {
                    Abandon();
                    return false;
                }
                return true;
            }
        }

        /// <summary>Give up what waits, when the program ends and the server takes nothing.</summary>
        private void Abandon()
        {
            _losses.Add("unsent", _waiting.Count);
            while (_waiting.Count > 0)
            {
                _waiting.Dequeue().End(false);
            }
        }

        /// <summary>Wait as long as the server asks; else longer each time, and shorter when hurried.</summary>
        private void Pause(TimeSpan asked)
        {
            var own = TimeSpan.FromTicks((long)(_pause.Ticks * (0.75 + _chance.NextDouble() / 2)));
            _pause = _pause + _pause > MaxPause ? MaxPause : _pause + _pause;
            var isAsked = asked > TimeSpan.Zero;
            _isHurried = false;
            WaitUntil(() => _isClosed || (_isHurried && !isAsked), Clock.Now + (isAsked ? asked : own));
        }

        private bool WaitUntil(Func<bool> isSo, TimeSpan end)
        {
            while (!isSo())
            {
                var left = end - Clock.Now;
                if (left <= TimeSpan.Zero)
                {
                    return false;
                }
                Monitor.Wait(_changed, left);
            }
            return true;
        }
    }
}
