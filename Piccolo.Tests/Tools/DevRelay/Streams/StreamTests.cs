using System.Net.Sockets;
using Piccolo.Tests.Tools.DevRelay.Fakes;

namespace Piccolo.Tests.Tools.DevRelay.Streams;

[Category("DevRelay"), Category("Nexus")]
internal sealed class StreamTests
{
    private const string Host = "app.example.test";

    [Test]
    public async Task Nx049_Connect_PrecedesDataAndTellsEverything()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        using var user = await relay.KnockAsync(TestHellos.AppExampleTest);

        var connect = await backend.NextControlAsync("connect");
        var prelude = await backend.NextDataAsync(connect.Id);

        Assert.That(connect.Text[1..], Is.EqualTo(
            $$"""{"event":"connect","client_id":"{{connect.Id}}","conn_port":443,"client_ip":"{{user.LocalEndPoint}}","transport":"tcp","hostname":"{{Host}}","is_tls":true,"credits":64}"""));
        Assert.That(prelude.Data, Is.EqualTo(TestHellos.AppExampleTest));
    }

    [Test]
    public async Task Nx050_Disconnect_FollowsAllDataAndHasNoReason()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var body = new byte[400_000];
        Random.Shared.NextBytes(body);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        var sending = SendAndCloseAsync(user, body);

        using var received = new MemoryStream();
        RelayFrame frame;
        while ((frame = await backend.NextAsync()).IsData)
        {
            Assert.That(frame.Data.Length, Is.LessThanOrEqualTo(32_768));
            received.Write(frame.Data);
        }

        await sending;
        Assert.That(frame.Text[1..], Is.EqualTo($$"""{"event":"disconnect","client_id":"{{id}}"}"""));
        Assert.That(received.ToArray(), Is.EqualTo(body));
    }

    [Test]
    public async Task Nx051_ControlMessages_ArriveUnderSustainedData()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        await backend.GrantAsync(id, 64);
        using var enough = new CancellationTokenSource();
        var sending = SendUntilAsync(user, enough.Token);

        for (var i = 0; i < 5; i++) await backend.SendControlAsync("ping_client", id);
        int pongs = 0, messages = 0;
        long bytes = 0;
        RelayFrame frame;
        while (!((frame = await backend.NextAsync()).IsControl && frame.Event == "disconnect"))
        {
            Assert.That(frame.Opcode, Is.EqualTo(2), frame.CloseReason);
            if (frame.IsControl) pongs++;
            else bytes += frame.Data.Length;
            if (frame.IsData && ++messages % 8 == 0) await backend.GrantAsync(id, 8);
            if (pongs == 5 && messages > 500) await enough.CancelAsync();
        }

        Assert.That((pongs, bytes), Is.EqualTo((5, await sending)));
    }

    [Test]
    public async Task Nx057_UnknownIds_GetNoAnswer()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var unknown = Guid.NewGuid();

        await backend.SendDataAsync(unknown, [1, 2, 3]);
        foreach (var name in new[] { "disconnect", "ping_client", "pause_stream", "resume_stream" }) await backend.SendControlAsync(name, unknown);
        await backend.GrantAsync(unknown, 64);

        Assert.That(await backend.UntilAnsweredAsync(), Is.Empty);
    }

    [Test]
    public async Task Nx069_BlockedUser_DelaysNeitherAnotherUserNorControl()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var (stalled, stalledId) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var first = stalled;
        var (user, id) = await relay.OpenStreamAsync(backend, RelayFixture.Get(Host));
        using var second = user;
        await StreamSteps.FillAsync(relay, backend, stalledId, 64);

        await backend.SendDataAsync(id, "quick"u8.ToArray());
        await backend.SendControlAsync("ping_client", stalledId);

        Assert.That(await user.ReadExactlyAsync(5), Is.EqualTo("quick"u8.ToArray()));
        Assert.That((await backend.UntilAnsweredAsync()).Count(f => f.IsControl && f.Event == "pong_client"), Is.EqualTo(1));
    }

    [Test]
    public async Task Nx027_Nx137_Nx138_Outbound_IsAlwaysAnsweredWithAFailure()
    {
        await using var relay = await RelayFixture.StartAsync();
        await using var backend = await ScriptedBackend.OpenAsync(relay, Host);
        var id = Guid.NewGuid();

        await backend.SendControlAsync("outbound_connect", id);

        var result = await backend.NextControlAsync("outbound_result");
        Assert.That(result.Text[1..],
            Is.EqualTo($$"""{"event":"outbound_result","client_id":"{{id}}","reason":"outbound connections disabled on this proxy"}"""));
    }

    private static async Task<long> SendUntilAsync(Socket user, CancellationToken enough)
    {
        var sent = 0L;
        while (!enough.IsCancellationRequested) sent += await user.SendAsync(new byte[16_384]);
        user.Shutdown(SocketShutdown.Send);
        await user.ReadToEndAsync();
        user.Dispose();
        return sent;
    }

    private static async Task SendAndCloseAsync(Socket user, byte[] body)
    {
        for (var sent = 0; sent < body.Length;) sent += await user.SendAsync(body.AsMemory(sent));
        user.Shutdown(SocketShutdown.Send);
        await user.ReadToEndAsync();
        user.Dispose();
    }
}
