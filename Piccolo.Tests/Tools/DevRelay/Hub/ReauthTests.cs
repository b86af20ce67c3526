using System.Text.Json.Nodes;
using Piccolo.DevRelay;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Hub;

[Category("DevRelay"), Category("Nexus")]
internal sealed class ReauthTests
{
    private const string Host = "app.example.test";

    private static readonly TimeSpan Second = TimeSpan.FromMilliseconds(50);

    private static readonly JsonObject Claims = TestTokens.Claims(Host).With("reauth_interval_seconds", 4).With("reauth_grace_seconds", 200);

    [Test]
    public async Task Nx033_FirstChallenge_ComesAfterTheInterval()
    {
        await using var relay = await StartAsync();
        var from = TimeProvider.System.GetTimestamp();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Claims);

        await backend.ReadChallengeAsync("reauth_challenge");

        Assert.That(TimeProvider.System.GetElapsedTime(from), Is.GreaterThan(Second * 3.7));
    }

    [Test]
    public async Task Nx033_TheWholeSpread_IsAFifthOfTheInterval()
    {
        await using var relay = await StartAsync(o => o.Jitter = () => 1);
        var from = TimeProvider.System.GetTimestamp();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Claims);

        await backend.ReadChallengeAsync("reauth_challenge");

        Assert.That(TimeProvider.System.GetElapsedTime(from), Is.GreaterThan(Second * 4.4));
    }

    [Test]
    public async Task Nx034_StreamsOpenAndFlow_WhileAnAnswerIsPending()
    {
        await using var relay = await StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Claims);
        var nonce = await backend.ReadChallengeAsync("reauth_challenge");

        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using (user)
        {
            await backend.SendDataAsync(id, "hello"u8.ToArray());
            Assert.That(await user.ReadExactlyAsync(5), Is.EqualTo("hello"u8.ToArray()));
            await backend.SendTextAsync(TestTokens.Sign(Claims.With("session_nonce", nonce)));

            // A second challenge proves that the first answer was taken.
            Assert.That(await backend.ReadChallengeAsync("reauth_challenge"), Is.Not.EqualTo(nonce));
            Assert.That(relay.Sessions().Single().Reauthentications, Is.EqualTo(1));
        }
    }

    [TestCase("superset")]
    [TestCase("subset")]
    [TestCase("weight")]
    [TestCase("nonce")]
    [TestCase("expired")]
    [TestCase("secret")]
    public async Task Nx035_WrongAnswer_ClosesBareAndCutsStreams(string wrong)
    {
        await using var relay = await StartAsync();
        var session = TestTokens.Claims(Host, "two.example.test").With("reauth_interval_seconds", 4).With("reauth_grace_seconds", 200);
        await using var backend = await ScriptedBackend.OpenAsync(relay, session);
        var (user, _) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var open = user;
        var answer = session.With("session_nonce", await backend.ReadChallengeAsync("reauth_challenge"));

        await backend.SendTextAsync(wrong switch
        {
            "superset" => TestTokens.Sign(answer.With("hostnames", new JsonArray(Host, "two.example.test", "three.example.test"))),
            "subset" => TestTokens.Sign(answer.With("hostnames", new JsonArray(Host))),
            "weight" => TestTokens.Sign(answer.With("weight", -1)),
            "nonce" => TestTokens.Sign(answer.With("session_nonce", "short")),
            "expired" => TestTokens.Sign(answer.With("exp", 1_000_000_000)),
            _ => TestTokens.Sign(answer, secret: "another"),
        });

        Assert.That((await backend.NextAsync()).Bare, Is.True);
        Assert.That(await user.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx035_BinaryAnswerOrSilence_ClosesBareAfterTheGrace()
    {
        await using var relay = await StartAsync();
        var claims = Claims.With("reauth_grace_seconds", 4);
        await using var backend = await ScriptedBackend.OpenAsync(relay, claims);
        var nonce = await backend.ReadChallengeAsync("reauth_challenge");

        await backend.SendBinaryAsync(System.Text.Encoding.ASCII.GetBytes(TestTokens.Sign(claims.With("session_nonce", nonce))));

        Assert.That((await backend.NextAsync()).Bare, Is.True);
    }

    [Test]
    public async Task Nx036_AnswerWithoutInterval_EndsReauthentication()
    {
        await using var relay = await StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Claims);
        var nonce = await backend.ReadChallengeAsync("reauth_challenge");
        await backend.SendTextAsync(TestTokens.Sign(Claims.Without("reauth_interval_seconds").With("session_nonce", nonce)));

        // Unanswered challenges would end this session after 200 of its seconds; what is observed is that none is sent in the time of several intervals.
        using var several = new CancellationTokenSource(Second * 24);
        var next = backend.NextAsync();
        var quiet = new TaskCompletionSource();
        await using var registration = several.Token.Register(quiet.SetResult);

        Assert.That(await Task.WhenAny(next, quiet.Task), Is.SameAs(quiet.Task));
        Assert.That(relay.Sessions().Single().Reauthentications, Is.EqualTo(1));
    }

    [Test]
    public async Task Nx038_UnsolicitedText_IsIgnored()
    {
        await using var relay = await StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);

        await backend.SendTextAsync("what is this");
        await backend.SendTextAsync(TestTokens.Sign(TestTokens.Claims("other.example.test")));

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
        Assert.That(relay.Sessions().Single().Hostnames, Is.EqualTo([Host]));
    }

    private static Task<Relay> StartAsync(Action<RelayOptions>? set = null) => RelayFixture.StartAsync(o =>
    {
        o.Clocks = new RelayClocks { ReauthSecond = Second };
        o.Jitter = () => 0;
        set?.Invoke(o);
    });
}
