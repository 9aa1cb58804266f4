using System;
using System.Collections.Generic;
using System.Globalization;

namespace ErrorStack
{
    /// <summary>Counts what is not sent, by reason, until an error that is sent tells of it.</summary>
    internal sealed class Losses
    {
        private SortedDictionary<string, int> _counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        private readonly object _lock = new object();

        internal void Add(string reason, int count = 1)
        {
            lock (_lock)
            {
                int before;
                _counts.TryGetValue(reason, out before);
                _counts[reason] = before + count;
            }
        }

        /// <summary>Return the counts, which are then told; put back what was not told after all.</summary>
        internal SortedDictionary<string, int> Take()
        {
            lock (_lock)
            {
                var taken = _counts;
                _counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
                return taken;
            }
        }

        internal void PutBack(SortedDictionary<string, int> counts)
        {
            foreach (var count in counts)
            {
                Add(count.Key, count.Value);
            }
        }

        internal static IEnumerable<KeyValuePair<string, string>> Told(SortedDictionary<string, int> counts)
        {
            foreach (var count in counts)
            {
                var number = count.Value.ToString(CultureInfo.InvariantCulture);
                yield return new KeyValuePair<string, string>("dropped_" + count.Key, number);
            }
        }
    }

    /// <summary>Lets so many messages in each minute, and the same error once in a while.</summary>
    internal sealed class Gate
    {
        private const int MaxRemembered = 500;
        private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

        private readonly object _lock = new object();
        private readonly int _perMinute;
        private readonly TimeSpan _dedupe;
        private readonly Dictionary<ulong, TimeSpan> _seen = new Dictionary<ulong, TimeSpan>();
        private readonly Queue<ulong> _order = new Queue<ulong>();
        private TimeSpan _minuteBegan = TimeSpan.MinValue;
        private int _count;

        internal Gate(int perMinute, TimeSpan dedupe)
        {
            _perMinute = perMinute;
            _dedupe = dedupe;
        }

        /// <summary>Say whether this minute's share is used up.</summary>
        internal bool IsFull()
        {
            lock (_lock)
            {
                return IsFull(Clock.Now);
            }
        }

        /// <summary>Return why a message stays out, "repeat" or "limit", or null when it may go in.</summary>
        internal string Refusal(ulong sameness)
        {
            lock (_lock)
            {
                var now = Clock.Now;
                TimeSpan at;
                if (_seen.TryGetValue(sameness, out at) && now - at < _dedupe)
                {
                    return "repeat";
                }
                if (IsFull(now))
                {
                    return "limit";
                }
                _count++;
                Remember(sameness, now);
                return null;
            }
        }

        private bool IsFull(TimeSpan now)
        {
            if (_minuteBegan == TimeSpan.MinValue || now - _minuteBegan >= Minute)
            {
                _minuteBegan = now;
                _count = 0;
            }
            return _count >= _perMinute;
        }

        private void Remember(ulong sameness, TimeSpan now)
        {
            if (!_seen.ContainsKey(sameness))
            {
                _order.Enqueue(sameness);
            }
            _seen[sameness] = now;
            if (_order.Count > MaxRemembered)
            {
                _seen.Remove(_order.Dequeue());
            }
        }
    }
}
