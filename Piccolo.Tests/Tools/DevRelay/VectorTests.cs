using System.Text;
using Microsoft.Extensions.Time.Testing;
using Piccolo.DevRelay;
using Piccolo.DevRelay.Protocol;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay;

/// <summary>One HTTPS request byte for byte, with a fixed clock, nonce and stream id.</summary>
[Category("DevRelay")]
internal sealed class VectorTests
{
    private const string Secret = "fact-sheet-secret-0123456789";

    private const string Stage0 =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJob3N0bmFtZXMiOlsiYXBwLmV4YW1wbGUudGVzdCJdLCJ3ZWlnaHQiOjEsImhhbmRzaGFrZV9tYXhfYWdlX3NlY29uZHMiOjEwLCJyZWF1"
        + "dGhfaW50ZXJ2YWxfc2Vjb25kcyI6OTAwLCJpc3MiOiJhdXRob3JpemVyIiwic3ViIjoiZWRnZS0xIiwiYXVkIjpbIm5leHVzIl0sImV4cCI6MTcwMDAwMDAzMCwiaWF0IjoxNzAwMDAwMDAw"
        + "fQ.Xc8hkcGJR8I4bhapPjkppuaDPhtXVxxqL2ysnFRBbLQ";

    private const string Stage1 =
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJob3N0bmFtZXMiOlsiYXBwLmV4YW1wbGUudGVzdCJdLCJ3ZWlnaHQiOjEsInNlc3Npb25fbm9uY2UiOiJBQUVDQXdRRkJnY0lDUW9MREEw"
        + "T0R4QVJFaE1VRlJZWEdCa2FHeHdkSGg4IiwicmVhdXRoX2ludGVydmFsX3NlY29uZHMiOjkwMCwiaXNzIjoiYXV0aG9yaXplciIsInN1YiI6ImVkZ2UtMSIsImF1ZCI6WyJuZXh1cyJdLCJl"
        + "eHAiOjE3MDAwMDAwMzAsImlhdCI6MTcwMDAwMDAwMH0.whtGCYUBF9cRxO_Mg06n4ahsqpJtLW1UdoDK2_ADvRI";

    private const string Challenge =
        "8154"
        + "7b2274797065223a2268616e647368616b655f6368616c6c656e6765222c226e6f6e6365223a2241414543417751464267634943516f4c4441304f4478415245684d55465259584742"
        + "6b6147787764486838227d";

    private const string Connect =
        "02"
        + "7b226576656e74223a22636f6e6e656374222c22636c69656e745f6964223a2233663235303465302d346638392d343164332d396130632d303330356538326333333031222c22636f"
        + "6e6e5f706f7274223a3434332c22636c69656e745f6970223a223139382e35312e3130302e373a3531353134222c227472616e73706f7274223a22746370222c22686f73746e616d65"
        + "223a226170702e6578616d706c652e74657374222c2269735f746c73223a747275652c2263726564697473223a36347d";

    private const string MaskedGrant =
        "82da37fa213d"
        + "35810358419f4f4915c0034f5289545052a55249459f405015d6035e5b93445343a5485915c0030e51c8140d039f1110039c19041ace105904d7185c07990c0d04ca14580fc8420e04"
        + "ca101f1bd8424f529e484944d81b0b0387";

    private const string Replenish =
        "8259027b226576656e74223a22726573756d655f73747265616d222c22636c69656e745f6964223a2233663235303465302d346638392d343164332d396130632d3033303565383263"
        + "33333031222c2263726564697473223a387d";

    private const string Disconnect =
        "824a027b226576656e74223a22646973636f6e6e656374222c22636c69656e745f6964223a2233663235303465302d346638392d343164332d396130632d3033303565383263333330"
        + "31227d";

    private static readonly Guid Id = Guid.Parse("3f2504e0-4f89-41d3-9a0c-0305e82c3301");

    [Test]
    public async Task OneHttpsRequest_IsByteForByteThatOfTheFacts()
    {
        await using var relay = await StartAsync(1_700_000_005);
        await using var backend = await ScriptedBackend.ConnectAsync(relay);

        await backend.WriteAsync(Masked("81fe014f", Stage0));
        Assert.That(await HexAsync(backend, Challenge.Length), Is.EqualTo(Challenge));
        await backend.WriteAsync(Masked("81fe0178", Stage1));
        await backend.WriteAsync(Convert.FromHexString("898037fa213d"));
        Assert.That(await HexAsync(backend, 4), Is.EqualTo("8a00"));

        using var user = await relay.KnockAsync(TestHellos.AppExampleTest);
        Assert.That((await backend.NextControlAsync("connect")).Id, Is.EqualTo(Id));
        var prelude = "827e0216" + "01" + "3f2504e04f8941d39a0c0305e82c3301" + Convert.ToHexStringLower(TestHellos.AppExampleTest);
        Assert.That(await HexAsync(backend, prelude.Length), Is.EqualTo(prelude));

        await backend.WriteAsync(Convert.FromHexString(MaskedGrant));
        await backend.WriteAsync(ScriptedBackend.Frame(2, ScriptedBackend.DataMessage(Id, new byte[1_400])));
        for (var i = 0; i < 9; i++) await backend.SendDataAsync(Id, new byte[16_384]);
        await user.ReadExactlyAsync(1_400 + (9 * 16_384));
        Assert.That(await HexAsync(backend, Replenish.Length), Is.EqualTo(Replenish));
        Assert.That(relay.Sessions().Single().Streams.Single().ForwardCredits, Is.EqualTo(64), "the prelude was not charged");

        user.Dispose();
        Assert.That(await HexAsync(backend, Disconnect.Length), Is.EqualTo(Disconnect));
        await backend.SendControlAsync("disconnect", Id, j => j["reason"] = "normal");
        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Stage0AtItsExpiry_IsRefusedWithTheSentenceOf97Bytes()
    {
        await using var relay = await StartAsync(1_700_000_030);
        await using var backend = await ScriptedBackend.ConnectAsync(relay);

        await backend.WriteAsync(Masked("81fe014f", Stage0));

        var close = await backend.NextAsync();
        Assert.That(close.Payload[..2], Is.EqualTo(new byte[] { 0x03, 0xf0 }));
        Assert.That(close.CloseReason, Is.EqualTo("stage0 token validation failed: jwt validation failed: token has invalid claims: token is expired"));
        Assert.That(close.Payload, Has.Length.EqualTo(2 + 97));
    }

    [Test]
    public void ConnectMessage_IsThatOfTheFacts()
    {
        var connect = new ControlMessage("connect", Id)
        {
            ConnPort = 443,
            ClientIp = "198.51.100.7:51514",
            Transport = "tcp",
            Hostname = "app.example.test",
            IsTls = true,
            Credits = 64,
        };

        Assert.That(Convert.ToHexStringLower(NexusMessages.Control(connect)), Is.EqualTo(Connect));
    }

    [Test]
    public void ReauthChallenge_IsThatOfTheFacts()
    {
        var text = NexusMessages.ReauthChallenge("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");

        Assert.That(Encoding.ASCII.GetString(text), Is.EqualTo("""{"type":"reauth_challenge","nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"""));
        Assert.That(text, Has.Length.EqualTo(0x51));
    }

    private static Task<Relay> StartAsync(long unixSeconds) => RelayFixture.StartAsync(o =>
    {
        o.Secret = Secret;
        o.Time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(unixSeconds));
        o.Nonce = () => [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        o.StreamId = () => Id;
    });

    private static byte[] Masked(string head, string token)
    {
        var frame = ScriptedBackend.Frame(1, Encoding.ASCII.GetBytes(token));
        Assert.That(Convert.ToHexStringLower(frame.AsSpan(0, 8)), Is.EqualTo(head + "37fa213d"));
        return frame;
    }

    private static async Task<string> HexAsync(ScriptedBackend backend, int digits) => Convert.ToHexStringLower(await backend.ExactlyAsync(digits / 2));
}
