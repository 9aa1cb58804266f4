using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Threading.Tasks;

namespace ErrorStack
{
    /// <summary>One error or log message on its way, and the bytes it is sent as.</summary>
    internal sealed class Report
    {
        internal const string SubmitPath = "/submit";
        internal const string LogPath = "/log";

        /// <summary>An error that waited longer says when it happened: the server knows when it came.</summary>
        private static readonly TimeSpan ToldAfter = TimeSpan.FromSeconds(2);

        private static readonly HashSet<string> Reserved =
            new HashSet<string>(StringComparer.Ordinal) { "_s", "_r", "_id", "_t" };

        private static readonly Encoding Utf8 = new UTF8Encoding(false, false);

        private readonly List<KeyValuePair<string, string>> _texts;
        private readonly DateTime _at = DateTime.UtcNow;
        private readonly TimeSpan _since = Clock.Now;
        private readonly TaskCompletionSource<bool> _stored =
            new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        internal readonly string Path;
        internal readonly string Id = Guid.NewGuid().ToString("N");

        internal Report(string path, List<KeyValuePair<string, string>> texts)
        {
            Path = path;
            _texts = texts;
        }

        internal bool IsLog { get { return Path == LogPath; } }

        internal TimeSpan Age { get { return Clock.Now - _since; } }

        internal Task<bool> Stored { get { return _stored.Task; } }

        internal void End(bool isStored)
        {
            _stored.TrySetResult(isStored);
        }

        /// <summary>Return a number that is equal for the same error happening again (FNV-1a).</summary>
        internal ulong Sameness()
        {
            var hash = 14695981039346656037UL;
            foreach (var field in _texts)
            {
                hash = Hashed(Hashed(hash, field.Key), field.Value);
            }
            return hash;
        }

        private static ulong Hashed(ulong hash, string text)
        {
            unchecked
            {
                foreach (var letter in text)
                {
                    hash = (hash ^ letter) * 1099511628211UL;
                }
                return (hash ^ 0x1ffff) * 1099511628211UL;
            }
        }

        /// <summary>Return all fields to send, but for those that only this client gives.</summary>
        internal List<KeyValuePair<string, string>> Whole()
        {
            var found = _texts.FindAll(field => !Reserved.Contains(field.Key));
            if (!IsLog && Age > ToldAfter)
            {
                var at = _at.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
                found.Add(new KeyValuePair<string, string>("occurred_at", at));
            }
            return found;
        }

        /// <summary>Return the form to post, in UTF-8.</summary>
        internal byte[] Encode(string key, IEnumerable<KeyValuePair<string, string>> fields)
        {
            var form = new StringBuilder();
            Append(form, "_s", key);
            Append(form, "_r", "json");
            Append(form, "_id", Id);
            foreach (var field in fields)
            {
                Append(form, field.Key, field.Value);
            }
            return Encoding.ASCII.GetBytes(form.ToString());
        }

        private static void Append(StringBuilder form, string name, string value)
        {
            if (form.Length > 0)
            {
                form.Append('&');
            }
            Escape(form, name);
            form.Append('=');
            Escape(form, value);
        }

        // Not Uri.EscapeDataString: it refuses long texts and halves of surrogate pairs.
        private static void Escape(StringBuilder form, string text)
        {
            const string hex = "0123456789ABCDEF";
            foreach (var octet in Utf8.GetBytes(text))
            {
                if (octet >= 'a' && octet <= 'z' || octet >= 'A' && octet <= 'Z' || octet >= '0' && octet <= '9'
                    || octet == '-' || octet == '_' || octet == '.')
                {
                    form.Append((char)octet);
                }
                else
                {
                    form.Append('%').Append(hex[octet >> 4]).Append(hex[octet & 15]);
                }
            }
        }
    }
}
