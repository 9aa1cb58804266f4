#define TRACE
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using ErrorStack;

/// <summary>A program that uses the library as its test asks: Host.exe SCENARIO URL KEY [MORE]. What it
/// says, one "name=value" a line, the test reads.</summary>
public static class Host
{
    private static readonly Dictionary<string, Action<ErrorStackOptions, string[]>> Scenarios =
        new Dictionary<string, Action<ErrorStackOptions, string[]>>
        {
            { "fields", Fields },
            { "exception", Exceptions },
            { "logs", Logs },
            { "async", Async },
            { "wait", Wait },
            { "repeat", Repeat },
            { "layers", Layers },
            { "losses", Losses },
            { "scrub", Scrub },
            { "odd", Odd },
            { "off", Off },
            { "queue", Queue },
            { "once", Once },
            { "log-once", LogOnce },
            { "twice", Twice },
            { "felt", Felt },
            { "exit", Exit },
            { "unhandled", Unhandled },
            { "unobserved", Unobserved },
            { "thread", InThread },
            { "prefix", Once },
            { "tls", Tls },
            { "trace", Traced },
#if MONO
            { "domain", Domain },
#endif
        };

    public static int Main(string[] args)
    {
        var options = new ErrorStackOptions
        {
            Endpoint = args[1],
            Key = args[2],
            OnProblem = problem => Say("problem", problem),
        };
        Scenarios[args[0]](options, args.Skip(3).ToArray());
        return 0;
    }

    private static void Say(string name, object value)
    {
        lock (Scenarios)
        {
            Console.WriteLine(name + "=" + string.Format(System.Globalization.CultureInfo.InvariantCulture, "{0}", value));
            Console.Out.Flush();
        }
    }

    private static void Fields(ErrorStackOptions options, string[] more)
    {
        options.Release = "2.4.1";
        options.Environment = "test";
        options.Fields = new Dictionary<string, object> { { "shop", more[0] }, { "order", "the call's own wins" } };
        ErrorStackClient.Start(options);
        var order = new { id = 1017, items = new[] { "a", "b" }, paid = (string)null, by = new { name = "Ann" } };
        Say("taken", ErrorStackClient.Submit("died " + more[0], new Dictionary<string, object>
        {
            { "order", order }, { "ok", false }, { "half", "\ud83d" }, { "total", 12.5m },
            { "at", new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) }, { "_s", "no" },
        }));
        Say("flushed", ErrorStackClient.Flush(TimeSpan.FromSeconds(20)));
    }

    private static void Exceptions(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        try
        {
            Fall(2);
        }
        catch (Exception error)
        {
            error.Data["order"] = 1017;
            ErrorStackClient.Submit(error, new { user = "Ann" });
        }
        ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
    }

    private static void Fall(int depth)
    {
        if (depth > 0)
        {
            Fall(depth - 1);
            return;
        }
        try
        {
            new Dictionary<string, int>()["missing"].ToString();
        }
        catch (KeyNotFoundException error)
        {
            throw new InvalidOperationException("no order", error);
        }
    }

    private static void Logs(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        ErrorStackClient.Log("deploying 2.4.1");
        ErrorStackClient.Log("deploying 2.4.1"); // a log repeats itself; that is no duplicate
        ErrorStackClient.Log(new { step = "migrate", number = 7 });
        ErrorStackClient.Submit("died");
        ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
    }

    private static void Async(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        Say("stored", SendTwo().GetAwaiter().GetResult());
        ErrorStackClient.Close(TimeSpan.FromSeconds(5));
        Say("closed", ErrorStackClient.SubmitAsync("late").Result);
    }

    private static async Task<string> SendTwo()
    {
        var logged = await ErrorStackClient.LogAsync("before");
        var submitted = await ErrorStackClient.SubmitAsync("awaited");
        return logged + " " + submitted;
    }

    private static void Wait(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        var watch = Stopwatch.StartNew();
        Say("stored", ErrorStackClient.SubmitAndWait("waited for", null, TimeSpan.FromSeconds(more.Length > 0 ? 1 : 10)));
        Say("seconds", watch.Elapsed.TotalSeconds);
        ErrorStackClient.Close(TimeSpan.Zero);
    }

    private static void Repeat(ErrorStackOptions options, string[] more)
    {
        options.PerMinute = 2;
        ErrorStackClient.Start(options);
        Say("taken", string.Join(" ", new[] { "a", "a", "a", "b", "c" }.Select(text => ErrorStackClient.Submit(text))));
        ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
    }

    private static void Layers(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        try
        {
            Fall(0);
        }
        catch (Exception error)
        {
            Say("taken", ErrorStackClient.Submit(error, new { layer = 1 }) + " " + ErrorStackClient.Submit(error, new { layer = 2 }));
        }
        ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
    }

    private static void Losses(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        foreach (var text in new[] { "again", "again", "again", "other", "third" })
        {
            ErrorStackClient.Submit(text);
            ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
        }
    }

    private static void Scrub(ErrorStackOptions options, string[] more)
    {
        options.Scrub = fields =>
        {
            ErrorStackClient.Submit("from inside the hook");
            if ((string)fields["Message"] == "fails")
            {
                throw new InvalidOperationException();
            }
            fields["user"] = "-";
            return (string)fields["Message"] == "private" ? null : fields;
        };
        ErrorStackClient.Start(options);
        foreach (var text in new[] { "private", "fails", "public" })
        {
            ErrorStackClient.Submit(text, new { user = "Ann" });
        }
        ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
    }

    private sealed class Unprintable
    {
        public override string ToString()
        {
            ErrorStackClient.Submit("from inside");
            throw new InvalidOperationException("no text");
        }
    }

    private sealed class Failing : Exception
    {
        public override string Message { get { throw new InvalidOperationException(); } }

        public override string ToString() { throw new InvalidOperationException(); }
    }

    private sealed class Properties
    {
        public int Good { get { return 7; } }

        public int Bad { get { throw new InvalidOperationException(); } }
    }

    private static void Odd(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        var loop = new Dictionary<string, object>();
        loop["self"] = loop;
        Say("taken", ErrorStackClient.Submit("odd", new Dictionary<string, object>
        {
            { "odd", new Unprintable() }, { "loop", loop }, { "long", new string('x', 40000) },
            { "many", Enumerable.Range(0, int.MaxValue) }, { new string('n', 300), 1 },
        }));
        Say("failing", ErrorStackClient.Submit(new Failing()));
        Say("null", ErrorStackClient.Submit(null));
        Say("properties", ErrorStackClient.Submit("properties", new Properties()));
        ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
    }

    private static void Off(ErrorStackOptions options, string[] more)
    {
        Say("before", ErrorStackClient.Submit("before the start") || ErrorStackClient.Log("before"));
        var client = ErrorStackClient.Start(options);
        Say("enabled", client.IsEnabled);
        Say("taken", ErrorStackClient.Submit("nowhere") || ErrorStackClient.SubmitAndWait("nowhere"));
        Say("flushed", ErrorStackClient.Flush(TimeSpan.FromSeconds(1)));
    }

    private static void Queue(ErrorStackOptions options, string[] more)
    {
        options.MaxQueue = 3;
        ErrorStackClient.Start(options);
        ErrorStackClient.Submit("0");
        while (ErrorStackClient.Current.LastProblem.Length == 0) // it is on its way, not in the queue
        {
            Thread.Sleep(5);
        }
        for (var number = 1; number < 8; number++)
        {
            ErrorStackClient.Submit(number.ToString());
        }
        Say("flushed", ErrorStackClient.Flush(TimeSpan.FromSeconds(20)));
    }

    private static void Once(ErrorStackOptions options, string[] more)
    {
        options.Timeout = TimeSpan.FromSeconds(1);
        ErrorStackClient.Start(options);
        ErrorStackClient.Submit("once");
        var watch = Stopwatch.StartNew();
        Say("flushed", ErrorStackClient.Flush(TimeSpan.FromSeconds(20)));
        Say("seconds", watch.Elapsed.TotalSeconds);
    }

    private static void LogOnce(ErrorStackOptions options, string[] more)
    {
        options.Timeout = TimeSpan.FromSeconds(2.5);
        ErrorStackClient.Start(options);
        Say("stored", ErrorStackClient.LogAsync("once").Result);
    }

    private static void Twice(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        for (var number = 0; number < 3; number++)
        {
            ErrorStackClient.Submit("number " + number);
        }
        Say("flushed", ErrorStackClient.Flush(TimeSpan.FromSeconds(20)));
    }

    /// <summary>Milliseconds that each of 60 errors cost the program, in two bursts.</summary>
    private static void Felt(ErrorStackOptions options, string[] more)
    {
        options.MaxQueue = 20;
        ErrorStackClient.Start(options);
        Spend(-1); // the first call compiles what it runs
        var spent = new List<double>();
        for (var number = 0; number < 60; number++)
        {
            spent.Add(Spend(number));
            if (number == 30)
            {
                ErrorStackClient.Flush(TimeSpan.FromSeconds(0.2));
            }
        }
        var watch = Stopwatch.StartNew();
        ErrorStackClient.Close(TimeSpan.FromSeconds(1));
        Say("close_s", watch.Elapsed.TotalSeconds);
        spent.Sort();
        Say("median_ms", spent[spent.Count / 2]);
        Say("max_ms", spent[spent.Count - 1]);
    }

    private static double Spend(int number)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            throw new InvalidOperationException("number " + number);
        }
        catch (InvalidOperationException error)
        {
            ErrorStackClient.Submit(error, new { number });
        }
        ErrorStackClient.Log("number " + number);
        return watch.Elapsed.TotalMilliseconds;
    }

    private static void Exit(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        ErrorStackClient.Submit("at the very end");
    }

    private static void Unhandled(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        Fall(1);
    }

    private static void InThread(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        var thread = new Thread(() => Fall(1));
        thread.Start();
        thread.Join();
    }

    private static void Unobserved(ErrorStackOptions options, string[] more)
    {
        ErrorStackClient.Start(options);
        for (var turn = 0; turn < 200 && !_isUnobservedSeen; turn++)
        {
            Forget();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(10);
        }
        Say("alive", true);
        ErrorStackClient.Flush(TimeSpan.FromSeconds(20));
    }

    private static volatile bool _isUnobservedSeen;

    private static void Forget()
    {
        var ended = new ManualResetEvent(false);
        TaskScheduler.UnobservedTaskException += (sender, e) => _isUnobservedSeen = true;
        Task.Factory.StartNew(() =>
        {
            ended.Set();
            throw new InvalidOperationException("nobody looks");
        });
        ended.WaitOne();
        Thread.Sleep(20);
    }

    private static void Traced(ErrorStackOptions options, string[] more)
    {
        options.OnProblem = null; // goes to Trace, and so to the listener
        ErrorStackClient.Start(options);
        Trace.Listeners.Clear();
        Trace.Listeners.Add(new ErrorStackTraceListener());
        Trace.TraceInformation("order {0} came", 1017);
        Trace.WriteLine("not sent");
        Trace.TraceError("order {0} failed", 1017);
        var source = new TraceSource("Shop", SourceLevels.Warning);
        source.Listeners.Clear();
        source.Listeners.Add(new ErrorStackTraceListener { Filter = new EventTypeFilter(SourceLevels.Error) });
        source.TraceEvent(TraceEventType.Warning, 7, "filtered");
        source.TraceEvent(TraceEventType.Critical, 7, "no {0} left");
        source.TraceEvent(TraceEventType.Error, 7, "bad template {1}", "x");
        try
        {
            Fall(0);
        }
        catch (Exception error)
        {
            source.TraceData(TraceEventType.Error, 8, error);
        }
        Say("flushed", ErrorStackClient.Flush(TimeSpan.FromSeconds(20)));
    }

    private static void Tls(ErrorStackOptions options, string[] more)
    {
        options.Timeout = TimeSpan.FromSeconds(3);
        if (more.Length > 0)
        {
            options.HttpHandler = () => new HttpClientHandler
            {
                AllowAutoRedirect = false,
                ServerCertificateCustomValidationCallback = (request, certificate, chain, errors) => true,
            };
        }
        ErrorStackClient.Start(options);
        ErrorStackClient.Submit("over https");
        Say("flushed", ErrorStackClient.Flush(TimeSpan.FromSeconds(1.5)));
        ErrorStackClient.Close(TimeSpan.Zero);
    }

#if MONO
    /// <summary>An application domain that is unloaded, as that of a web site which is recycled.</summary>
    private static void Domain(ErrorStackOptions options, string[] more)
    {
        var domain = AppDomain.CreateDomain("site");
        domain.SetData("url", options.Endpoint);
        domain.SetData("key", options.Key);
        domain.DoCallBack(InDomain);
        AppDomain.Unload(domain);
        Say("unloaded", true);
        Process.GetCurrentProcess().Kill();
    }

    private static void InDomain()
    {
        var domain = AppDomain.CurrentDomain;
        ErrorStackClient.Start((string)domain.GetData("key"), (string)domain.GetData("url"));
        ErrorStackClient.Submit("the site is recycled");
    }
#endif
}
