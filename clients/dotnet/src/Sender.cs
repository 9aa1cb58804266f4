using System;
using System.Collections.Generic;

namespace ErrorStack
{
    /// <summary>A report as it is posted, each time with the same bytes, and the losses it tells of.</summary>
    internal sealed class Parcel
    {
        internal readonly Report Report;
        internal readonly byte[] Body;
        internal readonly SortedDictionary<string, int> Counts;

        internal Parcel(Report report, byte[] body, SortedDictionary<string, int> counts)
        {
            Report = report;
            Body = body;
            Counts = counts;
        }
    }

    /// <summary>Turns reports into parcels, posts them, and keeps account of those that fail.</summary>
    internal sealed class Sender
    {
        private readonly string _key;
        private readonly Transport _transport;
        private readonly Func<IDictionary<string, object>, IDictionary<string, object>> _scrub;
        private readonly Losses _losses;
        private readonly Problems _problems;

        internal Sender(
            string key,
            Transport transport,
            Func<IDictionary<string, object>, IDictionary<string, object>> scrub,
            Losses losses,
            Problems problems)
        {
            _key = key;
            _transport = transport;
            _scrub = scrub;
            _losses = losses;
            _problems = problems;
        }

        /// <summary>Return what to post; null when the hook wants nothing sent, or fails.</summary>
        internal Parcel Pack(Report report)
        {
            var fields = Scrubbed(report.Whole());
            if (fields == null)
            {
                return null;
            }
            var counts = report.IsLog ? new SortedDictionary<string, int>() : _losses.Take();
            fields.AddRange(Losses.Told(counts));
            return new Parcel(report, report.Encode(_key, fields), counts);
        }

        internal Answer Post(Parcel parcel)
        {
            var answer = _transport.Post(parcel.Report.Path, parcel.Body);
            if (answer.Fate != Fate.Stored)
            {
                _problems.Tell(answer.Problem);
            }
            return answer;
        }

        internal void GiveUp(Parcel parcel, Answer answer)
        {
            _losses.PutBack(parcel.Counts);
            _losses.Add(answer.Fate == Fate.Refused ? "refused" : "unsent");
        }

        /// <summary>Close the connection.</summary>
        internal void Drop()
        {
            _transport.Drop();
        }

        private List<KeyValuePair<string, string>> Scrubbed(List<KeyValuePair<string, string>> fields)
        {
            if (_scrub == null)
            {
                return fields;
            }
            try
            {
                var kept = _scrub(Joined(fields));
                if (kept == null)
                {
                    return null;
                }
                var read = new FieldReader();
                read.ReadMore(kept);
                return read.Texts;
            }
            catch (Exception failure)
            {
                _problems.Tell("the scrub hook failed: " + failure.GetType().Name);
                _losses.Add("scrub");
                return null;
            }
        }

        /// <summary>Return fields as a hook sees them: a name's texts are a list where there are several.</summary>
        private static IDictionary<string, object> Joined(List<KeyValuePair<string, string>> fields)
        {
            var found = new Dictionary<string, object>(StringComparer.Ordinal);
            foreach (var field in fields)
            {
                object before;
                if (!found.TryGetValue(field.Key, out before))
                {
                    found[field.Key] = field.Value;
                    continue;
                }
                var texts = before as List<string> ?? new List<string> { (string)before };
                texts.Add(field.Value);
                found[field.Key] = texts;
            }
            return found;
        }
    }
}
