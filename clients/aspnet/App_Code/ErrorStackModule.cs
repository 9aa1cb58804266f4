using System;
using System.Collections.Generic;
using System.Collections.Specialized;
using System.Configuration;
using System.Web;

namespace ErrorStack
{
    /// <summary>Sends what a web application does not catch, with the request it happened in.</summary>
    /// <remarks>
    /// As a module of web.config it needs no code, and reads <c>ErrorStack.Key</c>,
    /// <c>ErrorStack.Endpoint</c>, <c>ErrorStack.Release</c> and <c>ErrorStack.Environment</c> of
    /// appSettings, unless <see cref="ErrorStackClient"/> was started before. The site's own error pages,
    /// redirects and handlers stay as they are.
    /// </remarks>
    public sealed class ErrorStackModule : IHttpModule
    {
        private static readonly object Lock = new object();

        /// <summary>Watch an application's errors. ASP.NET makes several modules for one site.</summary>
        public void Init(HttpApplication application)
        {
            Start();
            application.Error += OnError;
        }

        /// <summary>Nothing is held.</summary>
        public void Dispose()
        {
        }

        /// <summary>Send an error of a request, for <c>Application_Error</c>: Server.GetLastError(), and
        /// the request's address, method, user agent and status. Never throws, never waits.</summary>
        /// <returns>False when it will not be sent: a status below 500 is the visitor's mistake.</returns>
        public static bool Report(Exception error, HttpContext context)
        {
            try
            {
                Start();
                error = Cause(error);
                var status = Status(error);
                return error != null && status >= 500 && ErrorStackClient.Submit(error, Fields(context, status));
            }
            catch (Exception)
            {
                return false; // the site's answer must not depend on this
            }
        }

        private static void OnError(object sender, EventArgs e)
        {
            var application = (HttpApplication)sender;
            Report(application.Server.GetLastError(), application.Context);
        }

        /// <summary>Start a client as the settings say, unless there is one.</summary>
        private static void Start()
        {
            lock (Lock)
            {
                var settings = ConfigurationManager.AppSettings;
                if (ErrorStackClient.Current == null && settings["ErrorStack.Key"] != null)
                {
                    ErrorStackClient.Start(Options(settings));
                }
            }
        }

        private static ErrorStackOptions Options(NameValueCollection settings)
        {
            return new ErrorStackOptions
            {
                Key = settings["ErrorStack.Key"],
                Endpoint = settings["ErrorStack.Endpoint"],
                Release = settings["ErrorStack.Release"],
                Environment = settings["ErrorStack.Environment"]
            };
        }

        /// <summary>Return what a page threw: ASP.NET wraps it.</summary>
        private static Exception Cause(Exception error)
        {
            return error is HttpUnhandledException && error.InnerException != null ? error.InnerException : error;
        }

        private static int Status(Exception error)
        {
            var http = error as HttpException;
            return http == null ? 500 : http.GetHttpCode();
        }

        private static Dictionary<string, object> Fields(HttpContext context, int status)
        {
            var fields = new Dictionary<string, object> { { "status", status } };
            if (context != null)
            {
                var request = context.Request;
                fields["URL"] = request.Url;
                fields["HttpMethod"] = request.HttpMethod;
                fields["UserAgent"] = request.UserAgent;
                fields["Referer"] = request.Headers["Referer"];
                fields["Handler"] = context.Handler == null ? null : context.Handler.GetType().FullName;
            }
            return fields;
        }
    }
}
