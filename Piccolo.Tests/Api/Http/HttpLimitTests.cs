using System.Net;
using System.Net.Sockets;
using System.Text;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Http;

/// <summary>Clients that are slow or that send more than a request needs, on real sockets.</summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class HttpLimitTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TestAppliance _appliance = null!;
    private TestAppliance _impatient = null!;

    [OneTimeSetUp]
    public void SetUp()
    {
        _appliance = new TestAppliance(null, ("Piccolo:Http:HeadersTimeout", "00:01:00"));
        _impatient = new TestAppliance(null, ("Piccolo:Http:HeadersTimeout", "00:00:02"), ("Piccolo:Http:BodyGrace", "00:00:02"));
    }

    [OneTimeTearDown]
    public async Task TearDown()
    {
        await _appliance.DisposeAsync();
        await _impatient.DisposeAsync();
    }

    [Test]
    public async Task HeadersThatNeverEnd_AreGivenTheirTime() =>
        Assert.That(await ExchangeAsync("GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", _impatient), Does.StartWith("HTTP/1.1 408"));

    [Test]
    public async Task BodyThatTrickles_IsGivenItsGrace() => Assert.That(
        await ExchangeAsync("POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
            _impatient),
        Does.StartWith("HTTP/1.1 408"));

    [Test]
    public async Task KeptConnection_Idle_IsClosed()
    {
        await using var hasty = new TestAppliance(null, ("Piccolo:Http:KeepAliveTimeout", "00:00:02"));

        Assert.That(await ExchangeAsync("GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", hasty), Does.StartWith("HTTP/1.1 200"),
            "and the connection has ended");
    }

    [Test]
    public async Task Headers_TooMany_Are431() =>
        Assert.That(await ExchangeAsync(Get(string.Concat(Enumerable.Range(0, 100).Select(i => $"X-{i}: 1\r\n")))), Does.StartWith("HTTP/1.1 431"));

    [Test]
    public async Task Headers_TooLong_Are431() =>
        Assert.That(await ExchangeAsync(Get($"X-Long: {new string('x', 33 * 1024)}\r\n")), Does.StartWith("HTTP/1.1 431"));

    [Test]
    public async Task RequestLine_TooLong_Is414() =>
        Assert.That(await ExchangeAsync($"GET /health/live?{new string('x', 9 * 1024)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), Does.StartWith("HTTP/1.1 414"));

    [Test]
    public async Task Headers_WithinTheLimits_AreFine() => Assert.That(
        await ExchangeAsync(Get($"X-Long: {new string('x', 16 * 1024)}\r\n" + string.Concat(Enumerable.Range(0, 90).Select(i => $"X-{i}: 1\r\n")))),
        Does.StartWith("HTTP/1.1 200"));

    private static string Get(string headers) => $"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n";

    /// <returns>All that the server says until it closes.</returns>
    private async Task<string> ExchangeAsync(string request, TestAppliance? with = null)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, (with ?? _appliance).HttpPort);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Limit)) > 0) answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset } && answer.Length > 0)
        {
            // It did not read all that we sent; the answer came first.
        }
        return answer.ToString();
    }
}
