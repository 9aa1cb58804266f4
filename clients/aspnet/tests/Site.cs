using System;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Threading;
using System.Web;
using System.Web.Hosting;

/// <summary>Hosts a site and asks it for pages: Site.exe FOLDER PAGE... A page may have a query. What each
/// answered is said in a line, as "status=", "seconds=" and "body=" (base64); then it stays.</summary>
public sealed class Site : MarshalByRefObject
{
    public static int Main(string[] args)
    {
        var site = (Site)ApplicationHost.CreateApplicationHost(typeof(Site), "/", args[0]);
        for (var number = 1; number < args.Length; number++)
        {
            Console.WriteLine(site.Ask(args[number]));
            Console.Out.Flush();
        }
        // Until it is killed, as a web server is. Mono sometimes crashes when it unloads a site.
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    public override object InitializeLifetimeService()
    {
        return null;
    }

    public string Ask(string page)
    {
        var output = new StringWriter();
        var parts = page.Split('?');
        var request = new Request(parts[0], parts.Length > 1 ? parts[1] : "", output);
        var watch = Stopwatch.StartNew();
        HttpRuntime.ProcessRequest(request);
        request.Ended.WaitOne(TimeSpan.FromSeconds(10));
        var body = Convert.ToBase64String(Encoding.UTF8.GetBytes(output.ToString()));
        return string.Format(
            System.Globalization.CultureInfo.InvariantCulture,
            "status={0} seconds={1} body={2}", request.Status, watch.Elapsed.TotalSeconds, body);
    }

    private sealed class Request : SimpleWorkerRequest
    {
        internal readonly ManualResetEvent Ended = new ManualResetEvent(false);
        internal int Status = 200;

        internal Request(string page, string query, TextWriter output) : base(page, query, output)
        {
        }

        public override void SendStatus(int statusCode, string statusDescription)
        {
            Status = statusCode;
            base.SendStatus(statusCode, statusDescription);
        }

        public override string GetKnownRequestHeader(int index)
        {
            return index == HeaderUserAgent ? "Mozilla/5.0 (a visitor)" : base.GetKnownRequestHeader(index);
        }

        public override void FlushResponse(bool finalFlush)
        {
            base.FlushResponse(finalFlush);
            if (finalFlush)
            {
                Ended.Set();
            }
        }
    }
}
