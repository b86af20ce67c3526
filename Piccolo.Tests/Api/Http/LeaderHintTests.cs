using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Leadership;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Http;

/// <summary>What a follower answers to writes.</summary>
internal sealed class LeaderHintTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public async Task SetUp() => _appliance = await new TestAppliance().OwnedAsync();

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [TearDown]
    public void LeadAgain() => Roles();

    [TestCase("POST", "/api/v1/apps?x=1")]
    [TestCase("DELETE", "/api/v1/apps/web")]
    [TestCase("POST", "/api/v1/apps/web/start")]
    [TestCase("POST", "/api/v1/remote/configure")]
    [TestCase("POST", "/api/v1/remote/disable")]
    [TestCase("POST", "/api/v1/auth/tokens")]
    [TestCase("POST", "/api/v1/auth/password")]
    [TestCase("POST", "/api/v1/auth/staleness/ack")]
    [TestCase("POST", "/api/v1/crypto/recovery-key/generate")]
    public async Task Write_LeaderKnown_Is307WithLocationAndHint(string method, string path)
    {
        Roles((ResourceId.ControlPlane, Role.FollowerOf(new Uri("https://10.0.0.2:8443"))));

        using var response = await _appliance.SendAsync(new HttpMethod(method), path, method == "POST" ? new StringContent("{}") : null);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

        Assert.That((int)response.StatusCode, Is.EqualTo(307));
        Assert.That(response.Headers.Location!.ToString(), Is.EqualTo("https://10.0.0.2:8443" + path));
        Assert.That(response.Headers.GetValues("Piccolo-Leader").Single(), Is.EqualTo("https://10.0.0.2:8443"));
        Assert.That((string?)problem["code"], Is.EqualTo("not_leader"));
        Assert.That((string?)problem["leader"]!["resource"], Is.EqualTo("control-plane"));
        Assert.That((string?)problem["leader"]!["address"], Is.EqualTo("https://10.0.0.2:8443"));
    }

    [Test]
    public async Task Write_LeaderUnknown_Is409WithRetryAfter()
    {
        Roles((ResourceId.ControlPlane, Role.FollowerOf(null)));

        using var response = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/remote/disable");

        Assert.That((int)response.StatusCode, Is.EqualTo(409));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(response.Headers.Contains("Piccolo-Leader"), Is.False);
    }

    [Test]
    public async Task AppWrite_OnlyTheAppIsLedElsewhere_NamesTheApp()
    {
        Roles((ResourceId.App("web"), Role.FollowerOf(new Uri("https://10.0.0.3"))));

        using var response = await _appliance.SendAsync(HttpMethod.Post, "/api/v1/apps/web/stop");
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

        Assert.That((int)response.StatusCode, Is.EqualTo(307));
        Assert.That((string?)problem["leader"]!["resource"], Is.EqualTo("app:web"));
    }

    [Test]
    public async Task Read_OnAFollower_StaysLocal()
    {
        Roles((ResourceId.ControlPlane, Role.FollowerOf(new Uri("https://10.0.0.2"))));

        using var response = await _appliance.SendAsync(HttpMethod.Get, "/api/v1/apps");

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Write_WithoutCredentials_Is401EvenOnAFollower()
    {
        Roles((ResourceId.ControlPlane, Role.FollowerOf(new Uri("https://10.0.0.2"))));
        await using var stranger = new StrangerClient(_appliance);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/remote/disable");

        using var response = await stranger.SendAsync(request);

        Assert.That((int)response.StatusCode, Is.EqualTo(401));
        Assert.That(response.Headers.Contains("Piccolo-Leader"), Is.False);
    }

    [Test]
    public async Task HalfABody_OnAFollower_GetsTheHintWithoutTheRest()
    {
        Roles((ResourceId.ControlPlane, Role.FollowerOf(new Uri("https://10.0.0.2"))));
        var token = (string)(await TokenAsync())!;
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _appliance.HttpPort);
        var stream = client.GetStream();

        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/yaml\r\nContent-Length: "
            + "1000\r\n\r\nname: half"));
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var status = await reader.ReadLineAsync().WaitAsync(Limit);

        Assert.That(status, Does.StartWith("HTTP/1.1 307"));
    }

    private async Task<string> TokenAsync()
    {
        var roles = _appliance.Services.GetRequiredService<LeadershipRegistry>();
        var before = roles.Named;
        Roles();
        var token = (string)(await _appliance.Api.PostAsync("/api/v1/auth/tokens", new { name = "half" }))["token"]!;
        roles.Apply(before);
        return token;
    }

    private void Roles(params (ResourceId Resource, Role Role)[] roles) =>
        _appliance.Services.GetRequiredService<LeadershipRegistry>().Apply(roles.ToDictionary(r => r.Resource, r => r.Role));
}
