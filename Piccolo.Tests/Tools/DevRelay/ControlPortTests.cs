using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay;

[Category("DevRelay")]
internal sealed class ControlPortTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Sessions_ShowNamesWeightAndStreams()
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);
        Assert.That(await http.GetStringAsync("/sessions"), Is.EqualTo("[]"));
        await using var backend = await ScriptedBackend.OpenAsync(relay, TestTokens.Claims(Host).With("weight", 7));
        var (user, id) = await relay.OpenStreamAsync(backend, TestHellos.AppExampleTest);

        var session = (await http.GetFromJsonAsync<JsonArray>("/sessions"))!.Single()!;

        Assert.That(session["hostnames"]!.AsArray().Select(h => (string)h!), Is.EqualTo([Host]));
        Assert.That((int)session["weight"]!, Is.EqualTo(7));
        var stream = session["streams"]!.AsArray().Single()!;
        Assert.That(((Guid)stream["id"]!, (string)stream["hostname"]!, (int)stream["port"]!, (bool)stream["is_tls"]!), Is.EqualTo((id, Host, 443, true)));
        Assert.That((string)stream["client"]!, Is.EqualTo(user.LocalEndPoint!.ToString()));
        user.Dispose();
    }

    [Test]
    public async Task Health_IsOk()
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);

        Assert.That(await http.GetStringAsync("/healthz"), Is.EqualTo("""{"status":"ok"}"""));
    }

    [Test]
    public async Task RefuseNewSessions_Closes1008UntilItIsOff()
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);
        await FaultAsync(http, """{"refuse_new_sessions":true}""");
        await using var refused = await ScriptedBackend.ConnectAsync(relay);
        await refused.SendTextAsync(TestTokens.Sign(TestTokens.Claims(Host)));
        Assert.That((await refused.NextAsync()).CloseCode, Is.EqualTo(1008));

        await FaultAsync(http, """{"refuse_new_sessions":false}""");

        await using var accepted = await ScriptedBackend.OpenAsync(relay, Host);
        Assert.That(relay.Sessions(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task DropSessions_ClosesEachWithoutACloseFrame()
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);
        await using var one = await ScriptedBackend.OpenAsync(relay, Host);
        await using var two = await ScriptedBackend.OpenAsync(relay, Host);

        var answer = await FaultAsync(http, """{"drop_sessions":true}""");

        Assert.That((int)answer["dropped"]!, Is.EqualTo(2));
        Assert.That((await one.NextAsync()).Bare && (await two.NextAsync()).Bare, Is.True);
    }

    [Test]
    public async Task Inject_SendsTheMessageAsItIs()
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        await FaultAsync(http, """{"inject":{"text":"junk"}}""");
        await FaultAsync(http, """{"inject":{"base64":"BwgJ"}}""");

        var text = await backend.NextAsync();
        Assert.That((text.Opcode, text.Text), Is.EqualTo((1, "junk")));
        Assert.That((await backend.NextAsync()).Payload, Is.EqualTo(new byte[] { 7, 8, 9 }));
    }

    [Test]
    public async Task Metrics_CountWhatHappened()
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await backend.SendDataAsync(id, "answer"u8.ToArray());
        await user.ReadExactlyAsync(6);
        using var stranger = await relay.KnockAsync(RelayFixture.Get("nobody.example.test"));
        Assert.That(await stranger.ReadToEndAsync(), Is.Empty);

        var lines = (await http.GetStringAsync("/metrics")).Split('\n');

        Assert.That(lines, Is.SupersetOf(new[]
        {
            "# TYPE devrelay_sessions gauge", "devrelay_sessions 1", "devrelay_streams 1", "devrelay_sessions_accepted_total 1",
                "devrelay_streams_opened_total 1",
            "devrelay_users_without_backend_total 1", "devrelay_messages_from_backend_total 1", "devrelay_bytes_from_backend_total 23",
            "devrelay_messages_to_backend_total 2",
        }));
    }

    [Test]
    public async Task StallUsers_KeepsWhatTheyWouldGetUntilItIsOff()
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        await FaultAsync(http, """{"stall_users":true}""");

        for (var i = 0; i < 20; i++) await backend.SendDataAsync(id, "answer"u8.ToArray());
        await backend.SendControlAsync("ping_client", id);
        // Asked behind the data: now the relay has all of it.
        await backend.NextControlAsync("pong_client");
        Assert.That(user.Available, Is.Zero);
        await FaultAsync(http, """{"stall_users":false}""");

        await user.ReadExactlyAsync(120);
    }

    [TestCase("""{"no_such_switch":true}""")]
    [TestCase("""{"inject":{}}""")]
    [TestCase("""{"inject":{"base64":"%"}}""")]
    [TestCase("""{"challenge_delay_seconds":-1}""")]
    [TestCase("not json")]
    public async Task Faults_BadBody_Is400AndChangesNothing(string body)
    {
        await using var relay = await StartAsync();
        using var http = Client(relay);

        using var answer = await http.PostAsync("/faults", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(relay.Faults.ChallengeDelay, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task Transcript_HoldsBothDirectionsInOrder()
    {
        var entries = new System.Collections.Concurrent.ConcurrentQueue<TranscriptEntry>();
        await using var relay = await RelayFixture.StartAsync(o => o.Transcript = entries.Enqueue);
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;

        await backend.SendDataAsync(id, "answer"u8.ToArray());
        await user.ReadExactlyAsync(6);

        Assert.That(entries.Select(e => (e.FromBackend, e.Message.Span[0])), Is.EqualTo([(false, (byte)2), (false, (byte)1), (true, (byte)1)]));
    }

    [Test]
    public async Task TranscriptFile_TellsControlAndLengthsButNoTokenAndNoPayload()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = new TranscriptFile(path, TimeProvider.System))
            {
                await using var relay = await RelayFixture.StartAsync(o => o.Transcript = file.Write);
                await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
                var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
                using var open = user;
                await backend.SendTextAsync("a.secret.token");
                await backend.SendDataAsync(id, "answer"u8.ToArray());
                await user.ReadExactlyAsync(6);
            }

            var text = await File.ReadAllTextAsync(path);
            var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).Take(4).ToList();
            Assert.That(lines.Select(l => (string?)l["from"]), Is.EqualTo(["relay", "relay", "backend", "backend"]));
            Assert.That((string?)lines[0]["control"]!["event"], Is.EqualTo("connect"));
            Assert.That((int?)lines[3]["length"], Is.EqualTo(6));
            Assert.That(text, Does.Not.Contain("secret").And.Not.Contain("answer"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public async Task Control_OnAnotherAddressThanLoopback_IsRefused()
    {
        await using var relay = new Relay(new RelayOptions { Secret = TestTokens.Secret, Control = new IPEndPoint(IPAddress.Any, 0) });

        await Assert.ThrowsAsync<ArgumentException>(() => relay.StartAsync());
    }

    private static Task<Relay> StartAsync() => RelayFixture.StartAsync(o => o.Control = new IPEndPoint(IPAddress.Loopback, 0));

    private static HttpClient Client(Relay relay) =>
        new(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{relay.Control}"), Timeout = ScriptedBackend.Patience };

    private static async Task<JsonObject> FaultAsync(HttpClient http, string json)
    {
        using var answer = await http.PostAsync("/faults", new StringContent(json, Encoding.UTF8, "application/json"));
        var body = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.IsSuccessStatusCode, Is.True, body);
        return JsonNode.Parse(body)!.AsObject();
    }
}
