using System.Collections.Specialized;
using System.Net;

/// <summary>How a C# program of the service's own time sent: .NET's WebClient as it comes, which asks
/// with Expect: 100-continue before it sends the body. OldSender.exe URL KEY TEXT.</summary>
public static class OldSender
{
    public static void Main(string[] args)
    {
        var values = new NameValueCollection
        {
            { "_s", args[1] },
            { "appid", "a8x15" },
            { "Message", args[2] },
            { "Source", "OldSender" },
            { "StackTrace", "   at Old.Sender.Send(Object value)\r\n   at Old.Sender.Main()" },
        };
        using (var client = new WebClient())
        {
            System.Console.WriteLine(client.UploadValues(args[0] + "/submit", values).Length);
        }
    }
}
