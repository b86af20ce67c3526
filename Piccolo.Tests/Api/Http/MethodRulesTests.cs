using System.Net.Sockets;
using System.Text;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Http;

/// <summary>HEAD and OPTIONS.</summary>
internal sealed class MethodRulesTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public async Task SetUp() => _appliance = await new TestAppliance().OwnedAsync();

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [TestCase("/api/v1/crypto/status", 200)]
    [TestCase("/api/v1/apps", 200)]
    [TestCase("/api/v1/health/ready", 200)]
    [TestCase("/health/live", 200)]
    [TestCase("/version", 200)]
    [TestCase("/api/v1/openapi.yaml", 200)]
    [TestCase("/api/v1/nothing", 404)]
    [TestCase("/api/v1/crypto/setup", 405)]
    public async Task Head_IsAnsweredAsGetIs(string path, int status)
    {
        using var head = await _appliance.SendAsync(HttpMethod.Head, path);
        using var get = await _appliance.SendAsync(HttpMethod.Get, path);

        Assert.That((int)head.StatusCode, Is.EqualTo(status));
        Assert.That(head.StatusCode, Is.EqualTo(get.StatusCode));
        Assert.That(head.Content.Headers.ContentType, Is.EqualTo(get.Content.Headers.ContentType));
    }

    [Test]
    public async Task Head_SendsNotOneByteOfABody()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _appliance.HttpPort).WaitAsync(Limit);
        var stream = client.GetStream();
        await stream.WriteAsync("HEAD /api/v1/crypto/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var answer = await reader.ReadToEndAsync().WaitAsync(Limit);

        Assert.That(answer, Does.StartWith("HTTP/1.1 200 ").And.EndWith("\r\n\r\n"));
        Assert.That(answer, Does.Not.Contain("initialized"));
    }

    [TestCase("/api/v1/apps", "GET, HEAD, OPTIONS, POST")]
    [TestCase("/api/v1/crypto/setup", "OPTIONS, POST")]
    [TestCase("/api/v1/auth/sessions", "DELETE, GET, HEAD, OPTIONS")]
    [TestCase("/health/ready", "GET, HEAD, OPTIONS")]
    public async Task Options_NamesTheMethodsAndInvitesNobody(string path, string allow)
    {
        using var response = await _appliance.SendAsync(HttpMethod.Options, path, change: request =>
        {
            request.Headers.Authorization = null;
            request.Headers.Add("Origin", "https://evil.example");
            request.Headers.Add("Access-Control-Request-Method", "POST");
        });

        Assert.That((int)response.StatusCode, Is.EqualTo(204));
        Assert.That(string.Join(", ", response.Content.Headers.Allow.Order(StringComparer.Ordinal)), Is.EqualTo(allow));
        Assert.That(response.Headers.Select(h => h.Key), Has.None.StartsWith("Access-Control-"));
        Assert.That(response.Headers.Contains("X-Content-Type-Options"), Is.True);
    }

    [Test]
    public async Task Options_UnknownPath_Is404()
    {
        using var response = await _appliance.SendAsync(HttpMethod.Options, "/api/v1/nothing");

        Assert.That((int)response.StatusCode, Is.EqualTo(404));
    }
}
