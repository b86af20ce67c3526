using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Piccolo.Core.Remote;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Api.Remote;

/// <summary>A relay is tried, and a new secret taken, only by really connecting.</summary>
internal sealed class RelaySecretTests
{
    private RemoteBox _box = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _box = await RemoteBox.StartAsync();
        await _box.ConfigureAsync();
    }

    [OneTimeTearDown]
    public async Task TearDown() => await _box.DisposeAsync();

    [Test]
    public async Task Rotate_SecretThatTheRelayDoesNotHave_IsRefusedAndNothingChanges()
    {
        var (status, problem) = await PostAsync("/api/v1/remote/rotate", new { device_secret = "another-secret" });

        Assert.That(status, Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That((string?)problem["code"], Is.EqualTo("secret_rejected"));
        Assert.That(problem.ToJsonString(), Does.Not.Contain("another-secret"));
        Assert.That(_box.Get<RemoteSettingsStore>().Current!.DeviceSecret, Is.EqualTo(RemoteBox.Secret));
    }

    [Test]
    public async Task Rotate_SecretThatTheRelayHas_IsStoredAndUsed()
    {
        const string next = "the-next-secret-of-the-relay";
        _box.RelaySecret = next;
        try
        {
            var (status, _) = await PostAsync("/api/v1/remote/rotate", new { device_secret = next });

            Assert.That(status, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(_box.Get<RemoteSettingsStore>().Current!.DeviceSecret, Is.EqualTo(next));
            await _box.UntilServedAsync(RemoteBox.Portal);
        }
        finally
        {
            _box.RelaySecret = RemoteBox.Secret;
            await PostAsync("/api/v1/remote/rotate", new { device_secret = RemoteBox.Secret });
        }
        Assert.That(_box.Get<RemoteSettingsStore>().Current!.DeviceSecret, Is.EqualTo(RemoteBox.Secret));
    }

    [Test]
    public async Task Verify_RelayThatAccepts_SaysSoAndChangesNothing()
    {
        var before = _box.Get<RemoteSettingsStore>().Current;

        var (status, answer) = await PostAsync("/api/v1/remote/nexus-guide/verify", new
        {
            endpoint = _box.Relay.HubUri.ToString(),
            jwt_secret = RemoteBox.Secret,
        });

        Assert.That(status, Is.EqualTo(HttpStatusCode.OK), answer.ToJsonString());
        Assert.That((DateTimeOffset)answer["verified_at"]!, Is.EqualTo(TimeProvider.System.GetUtcNow()).Within(TimeSpan.FromMinutes(1)));
        Assert.That(_box.Get<RemoteSettingsStore>().Current, Is.EqualTo(before));
        Assert.That(_box.Get<RelayTunnel>().Status.State, Is.EqualTo(TunnelState.Online));
    }

    [TestCase("wss://127.0.0.1:1/connect", "secret", 422, "unreachable")]
    [TestCase("https://relay.test", "secret", 400, "invalid_request")]
    [TestCase("wss://other.relay.test", null, 400, "relay_unknown", Description = "the stored secret goes to its own relay only")]
    public async Task Verify_RelayThatCannotBe_IsRefused(string endpoint, string? secret, int status, string code)
    {
        var (found, problem) = await PostAsync("/api/v1/remote/nexus-guide/verify", new { endpoint, jwt_secret = secret });

        Assert.That(((int)found, (string?)problem["code"]), Is.EqualTo((status, code)));
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, object body)
    {
        using var response = await _box.Appliance.SendAsync(HttpMethod.Post, path, JsonContent.Create(body));
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
