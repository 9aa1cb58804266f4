using System;
using System.Collections.Generic;
using System.Net.Http;

namespace ErrorStack
{
    /// <summary>What a client is made of. Read once, when the client is made.</summary>
    public sealed class ErrorStackOptions
    {
        /// <summary>Start from the defaults that the properties tell.</summary>
        public ErrorStackOptions()
        {
            MaxQueue = 200;
            PerMinute = 120;
            Dedupe = TimeSpan.FromSeconds(10);
            Timeout = Transport.MaxTimeout;
        }

        /// <summary>The stack's key. Without one nothing is sent, and <see cref="OnProblem"/> is told.</summary>
        public string Key { get; set; }

        /// <summary>The server, as https://errors.example.com; a path is kept.</summary>
        public string Endpoint { get; set; }

        /// <summary>The program's version; goes with every error.</summary>
        public string Release { get; set; }

        /// <summary>Where the program runs, as "production"; goes with every error.</summary>
        public string Environment { get; set; }

        /// <summary>More fields that go with every error. What a call says itself wins.</summary>
        public IDictionary<string, object> Fields { get; set; }

        /// <summary>Gets an error's or log message's fields before they leave the process, texts or lists
        /// of texts, and returns those to send, or null to send nothing. Runs in the background; when it
        /// throws, nothing is sent.</summary>
        public Func<IDictionary<string, object>, IDictionary<string, object>> Scrub { get; set; }

        /// <summary>Is told what is wrong, in the background, once until something else is. Without one,
        /// <see cref="System.Diagnostics.Trace"/> is.</summary>
        public Action<string> OnProblem { get; set; }

        /// <summary>Messages that wait; a further one pushes out the oldest. 200.</summary>
        public int MaxQueue { get; set; }

        /// <summary>Errors let in within a minute, and as many log messages. 120.</summary>
        public int PerMinute { get; set; }

        /// <summary>The same error within this time is counted, not sent. 10 s.</summary>
        public TimeSpan Dedupe { get; set; }

        /// <summary>For a whole request. 3 s, which is also the most.</summary>
        public TimeSpan Timeout { get; set; }

        /// <summary>Makes the handler of a connection, for a proxy or a certificate of your own. It must
        /// not follow redirects: they would carry the key elsewhere.</summary>
        public Func<HttpMessageHandler> HttpHandler { get; set; }
    }
}
