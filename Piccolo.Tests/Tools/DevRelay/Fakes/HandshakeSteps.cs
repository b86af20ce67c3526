using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Piccolo.DevRelay;

namespace Piccolo.Tests.Tools.DevRelay.Fakes;

/// <summary>What the handshake's tests have in common.</summary>
internal static class HandshakeSteps
{
    public const string Host = "app.example.test";

    public static FakeTimeProvider FixedTime() => new(new DateTimeOffset(2026, 5, 4, 3, 2, 1, TimeSpan.Zero));

    public static JsonArray Routes(params (int Port, int? Timeout)[] routes) =>
        [.. routes.Select(r => new JsonObject { ["port"] = r.Port, ["flow_idle_timeout_seconds"] = r.Timeout })];

    public static async Task AcceptedAsync(JsonObject claims, FakeTimeProvider? time = null)
    {
        await using var relay = await RelayFixture.StartAsync(o => o.Time = time ?? TimeProvider.System);
        await using var backend = await ScriptedBackend.OpenAsync(relay, claims);
        Assert.That(relay.Sessions(), Has.Count.EqualTo(1));
    }

    public static async Task<RelayFrame> RefusedAsync(string token, FakeTimeProvider? time = null, Action<RelayOptions>? set = null)
    {
        await using var relay = await RelayFixture.StartAsync(o =>
        {
            o.Time = time ?? TimeProvider.System;
            set?.Invoke(o);
        });
        await using var backend = await ScriptedBackend.ConnectAsync(relay);
        await backend.SendTextAsync(token);
        var end = await backend.NextAsync();
        Assert.That(end.Opcode, Is.EqualTo(8), end.Text);
        if (!end.Bare) Assert.That(end.CloseCode, Is.EqualTo(1008));
        return end;
    }

    public static async Task<RelayFrame> Stage1Async(Relay relay, Func<string, JsonObject> stage1, JsonObject? stage0 = null)
    {
        await using var backend = await ScriptedBackend.ConnectAsync(relay);
        await backend.SendTextAsync(TestTokens.Sign(stage0 ?? TestTokens.Claims(Host)));
        var nonce = await backend.ReadChallengeAsync("handshake_challenge");
        await backend.SendTextAsync(TestTokens.Sign(stage1(nonce)));
        var end = await backend.NextAsync();
        Assert.That(end.Opcode, Is.EqualTo(8), end.Text);
        return end;
    }
}
