using System;
using ErrorStack;

/// <summary>Sends one of each: Example.exe ENDPOINT KEY.</summary>
public static class Example
{
    public static int Main(string[] args)
    {
        ErrorStackClient.Start(new ErrorStackOptions
        {
            Endpoint = args[0],
            Key = args[1],
            Release = "2.4.1",
            Environment = "example",
            OnProblem = Console.Error.WriteLine,
        });
        ErrorStackClient.Log("starting");
        try
        {
            int.Parse("seven");
        }
        catch (FormatException error)
        {
            ErrorStackClient.Submit(error, new { order = 1017 });
        }
        return ErrorStackClient.SubmitAndWait("payment refused", new { order = new { id = 1017, total = 12.5 } }) ? 0 : 1;
    }
}
