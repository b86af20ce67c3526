using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Rig;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Ingress.Fakes;

namespace Piccolo.Tests.Api.Http;

/// <summary>
/// Clients that send head and body of a request apart, as Python's http.client does: what
/// follows the body must not run on the thread on which it came.
/// </summary>
[Category("Sealed")]
internal sealed class SlowBodyTests
{
    private TestAppliance _appliance = null!;
    private string _token = "";
    private int _port;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _port = LoopbackPorts.Free(1)[0];
        _appliance = new TestAppliance(null, ("Piccolo:Ingress:HttpsPort", $"{_port}"));
        await PreparedKeySet.ClaimAsync(_appliance.Services.GetRequiredService<ApplianceVault>(), _appliance.Services.GetRequiredService<StatePaths>());
        await _appliance.Api.UnlockAsync(TestAppliance.Password);
        _token = await _appliance.Api.TakeTokenAsync("slow");
    }

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public async Task Post_ThatCommits_IsServedOffTheLoops([Values("/api/v1/auth/tokens", "/api/v1/auth/login")] string path)
    {
        using var tls = new SslStream(new NetworkStream(await FrontDoor.ConnectAsync(_port), ownsSocket: true));
#pragma warning disable CA5359 // the device's own certificate
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        });
#pragma warning restore CA5359
        var body = path.EndsWith("tokens", StringComparison.Ordinal) ? $$"""{"name":"slow","scope":"read","password":"{{TestAppliance.Password}}"}"""
            : $$"""{"username":"admin","password":"{{TestAppliance.Password}}"}""";
        for (var i = 0; i < 3; i++)
        {
            await tls.WriteAsync(Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {_token}\r\nContent-Type: application/json\r\nContent-Length: "
                + $"{body.Length}\r\nExpect: 100-continue\r\n\r\n"));
            // Sent when the request waits for its content.
            var interim = new byte["HTTP/1.1 100 Continue\r\n\r\n".Length];
            await tls.ReadExactlyAsync(interim).AsTask().WaitAsync(FrontDoor.Patience);
            Assert.That(Encoding.ASCII.GetString(interim), Is.EqualTo("HTTP/1.1 100 Continue\r\n\r\n"));
            await tls.WriteAsync(Encoding.ASCII.GetBytes(body[..4]));
            await tls.WriteAsync(Encoding.ASCII.GetBytes(body[4..]));

            Assert.That(await ReadAsync(tls), Does.Match("^HTTP/1.1 20[01] "));
        }
    }

    /// <summary>One answer; all of ours say how long they are, or come in chunks.</summary>
    private static async Task<string> ReadAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal) && !IsWhole(text.ToString()))
        {
            var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(FrontDoor.Patience);
            if (read == 0) break;
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
        return text.ToString();
    }

    private static bool IsWhole(string text)
    {
        var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var length = text.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        return head > 0 && length is not null
            && text.Length >= head + 4 + int.Parse(length["Content-Length: ".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
