using System.Net;
using Piccolo.SampleApp;

// The app of the demo and of the tests: plain HTTP on 8080, TLS with a certificate of its own on 8443.
var certificate = SelfSigned.Create();
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
app.MapSample(SelfSigned.Fingerprint(certificate));
SampleLog.Started(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("SampleApp"), SelfSigned.Fingerprint(certificate));
app.Run();

static int Port(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var port) ? port : otherwise;
