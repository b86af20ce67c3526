using System.Net;

namespace Piccolo.SampleApp;

/// <summary>
/// The app of the demo and of the tests: plain HTTP on 8080, TLS with a certificate of its own on 8443. With a command of <see cref="SampleCommands"/> it does
/// that and ends.
/// </summary>
internal static class SampleProgram
{
    private static async Task<int> Main(string[] args)
    {
        if (SampleCommands.Find(args) is { } command) return await command();
        using var certificate = SelfSigned.Create();
        var fingerprint = SelfSigned.Fingerprint(certificate);
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("SampleApp", LogLevel.Information);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Any, Port("SAMPLE_HTTP_PORT", 8080));
            kestrel.Listen(IPAddress.Any, Port("SAMPLE_TLS_PORT", 8443), endpoint => endpoint.UseHttps(certificate));
        });
        var app = builder.Build();
        app.UseWebSockets();
        app.MapSample(fingerprint);
        SampleLog.Started(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("SampleApp"), fingerprint);
        await app.RunAsync();
        return 0;
    }

    private static int Port(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var port) ? port : otherwise;
}
