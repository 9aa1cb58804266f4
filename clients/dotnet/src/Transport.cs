using System;
using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

namespace ErrorStack
{
    /// <summary>What became of a message.</summary>
    internal enum Fate
    {
        Stored,
        Refused, // and would be again
        Later, // not taken now
        Unknown // sent, but no answer that can be understood
    }

    internal sealed class Answer
    {
        internal readonly Fate Fate;
        internal readonly string Problem;
        internal readonly TimeSpan RetryAfter;

        internal Answer(Fate fate, string problem = "", TimeSpan retryAfter = default(TimeSpan))
        {
            Fate = fate;
            Problem = problem;
            RetryAfter = retryAfter;
        }
    }

    /// <summary>Posts forms below an endpoint and says what an answer means. Follows no redirect. For one
    /// thread at a time.</summary>
    internal sealed class Transport
    {
        internal static readonly TimeSpan MaxTimeout = TimeSpan.FromSeconds(3);
        internal static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(10);
        private const int MaxAnswerBytes = 65536;

        private static readonly Regex Success = new Regex(
            "\\A\\s*\\{[^{}]*?\"success\"\\s*:\\s*(true|false)\\b", RegexOptions.CultureInvariant);
        private static readonly Regex ErrorMsg = new Regex(
            "\"errorMsg\"\\s*:\\s*\"([^\"\\\\]{0,200})", RegexOptions.CultureInvariant);

        private readonly string _prefix;
        private readonly TimeSpan _timeout;
        private readonly Func<HttpMessageHandler> _newHandler;
        private HttpClient _client;

        internal Transport(Uri endpoint, TimeSpan timeout, Func<HttpMessageHandler> newHandler)
        {
            var whole = endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/');
            _prefix = whole.EndsWith(Report.SubmitPath, StringComparison.Ordinal)
                ? whole.Substring(0, whole.Length - Report.SubmitPath.Length)
                : whole;
            _timeout = timeout > MaxTimeout || timeout <= TimeSpan.Zero ? MaxTimeout : timeout;
            _newHandler = newHandler ?? NewHandler;
        }

        /// <summary>Read an endpoint; false when it is no http or https address.</summary>
        internal static bool TryRead(string endpoint, out Uri address)
        {
            return Uri.TryCreate((endpoint ?? "").Trim(), UriKind.Absolute, out address)
                && (address.Scheme == "http" || address.Scheme == "https") && address.Host.Length > 0;
        }

        /// <summary>Send a form and wait for its answer, for the timeout at most. Never throws.</summary>
        internal Answer Post(string path, byte[] body)
        {
            try
            {
                var exchange = Exchange(path, body);
                // The client's own timeout ends the request; this one only guards against a platform
                // whose does not end every step of one.
                if (exchange.Wait(_timeout + TimeSpan.FromSeconds(1)))
                {
                    return exchange.Result;
                }
                Observe(exchange);
                Drop();
                return new Answer(Fate.Unknown, "no answer in time");
            }
            catch (Exception error)
            {
                Drop();
                return Read(error);
            }
        }

        /// <summary>Close the connection; the next message opens another.</summary>
        internal void Drop()
        {
            var client = _client;
            _client = null;
            if (client != null)
            {
                client.Dispose();
            }
        }

        private async Task<Answer> Exchange(string path, byte[] body)
        {
            _client = _client ?? NewClient();
            using (var request = new HttpRequestMessage(HttpMethod.Post, _prefix + path))
            {
                request.Content = new ByteArrayContent(body);
                request.Content.Headers.ContentType =
                    MediaTypeHeaderValue.Parse("application/x-www-form-urlencoded; charset=utf-8");
                request.Headers.ExpectContinue = false; // it costs a round trip, and servers forget it
                using (var response = await _client.SendAsync(request).ConfigureAwait(false))
                {
                    var content = await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
                    return Read(response, Encoding.UTF8.GetString(content));
                }
            }
        }

        private HttpClient NewClient()
        {
            var client = new HttpClient(_newHandler(), true)
            {
                Timeout = _timeout,
                MaxResponseContentBufferSize = MaxAnswerBytes
            };
            client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "errorstack-client/dotnet");
            return client;
        }

        private static HttpMessageHandler NewHandler()
        {
            return new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false };
        }

        private static void Observe(Task task)
        {
            task.ContinueWith(ended => ended.Exception, TaskContinuationOptions.OnlyOnFaulted);
        }

        private static Answer Read(HttpResponseMessage response, string content)
        {
            var status = (int)response.StatusCode;
            if (status == 408 || status == 425 || status == 429 || status >= 500)
            {
                return new Answer(Fate.Later, Answered(status), RetryAfter(response));
            }
            if (status >= 300)
            {
                var to = response.Headers.Location;
                return new Answer(Fate.Refused, Answered(status) + (to == null ? "" : " to " + to));
            }
            var success = Success.Match(content);
            if (!success.Success)
            {
                return new Answer(Fate.Unknown, "the answer is not an ErrorStack server's");
            }
            if (success.Groups[1].Value == "true")
            {
                return new Answer(Fate.Stored);
            }
            var said = ErrorMsg.Match(content);
            return new Answer(Fate.Refused, said.Success ? said.Groups[1].Value : "refused");
        }

        private static string Answered(int status)
        {
            return "the server answered " + status.ToString(CultureInfo.InvariantCulture);
        }

        private static TimeSpan RetryAfter(HttpResponseMessage response)
        {
            var asked = response.Headers.RetryAfter;
            if (asked == null)
            {
                return TimeSpan.Zero;
            }
            var wait = asked.Delta ?? (asked.Date.HasValue ? asked.Date.Value - DateTimeOffset.UtcNow : TimeSpan.Zero);
            return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > MaxRetryAfter ? MaxRetryAfter : wait;
        }

        private static Answer Read(Exception error)
        {
            error = error is AggregateException ? error.GetBaseException() : error;
            if (error is OperationCanceledException)
            {
                return new Answer(Fate.Unknown, "no answer in time");
            }
            var fate = Fate.Unknown;
            for (var cause = error; cause != null; cause = cause.InnerException)
            {
                fate = IsBeforeSending(cause) ? Fate.Later : fate;
            }
            var inner = error.GetBaseException();
            return new Answer(fate, FieldReader.Shorten(inner.GetType().Name + ": " + inner.Message));
        }

        private static bool IsBeforeSending(Exception cause)
        {
            var web = cause as WebException;
            var socket = cause as SocketException;
            return web != null && (web.Status == WebExceptionStatus.ConnectFailure
                    || web.Status == WebExceptionStatus.NameResolutionFailure
                    || web.Status == WebExceptionStatus.TrustFailure)
                || socket != null && (socket.SocketErrorCode == SocketError.ConnectionRefused
                    || socket.SocketErrorCode == SocketError.HostNotFound
                    || socket.SocketErrorCode == SocketError.HostUnreachable
                    || socket.SocketErrorCode == SocketError.NetworkUnreachable);
        }
    }
}
