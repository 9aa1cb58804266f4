<%@ Application Language="C#" %>
<%@ Import Namespace="ErrorStack" %>
<script runat="server">
    void Application_Start()
    {
        ErrorStackClient.Start("KEY", "https://errors.example.com");
    }

    // Message, source, stack trace and method of the error, and the request it happened in.
    void Application_Error()
    {
        ErrorStackModule.Report(Server.GetLastError(), Context);
    }
</script>
