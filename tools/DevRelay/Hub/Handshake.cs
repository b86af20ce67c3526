using System.Buffers.Text;
using System.Globalization;
using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Hub;

/// <summary>A session's grant, or why there is none; <see cref="Bare"/> when not even a close frame is sent.</summary>
internal readonly record struct HandshakeResult(SessionGrant? Grant, string? Refusal, bool Bare);

/// <summary>The two tokens that open a session: the first says what is wanted, the second proves that it was signed for this connection.</summary>
internal sealed class Handshake(ServerWebSocket socket, RelayOptions options, RelayFaults faults)
{
    /// <summary>The stock relay has no limit on a token; a bound is needed nevertheless.</summary>
    public const int TokenLimit = 1_048_576;

    private readonly TokenValidator _validator = new(options.Secret, faults.Clock(options.Time));
    private readonly ClaimRules _rules = new(options, faults.Clock(options.Time));

    public async Task<HandshakeResult> RunAsync(CancellationToken cancellationToken)
    {
        var first = await ReadTokenAsync("stage0", cancellationToken);
        if (first.Value is null) return new HandshakeResult(null, first.Refusal, Bare: false);
        if (faults.RefuseNewSessions) return new HandshakeResult(null, "sessions are refused by a fault switch", Bare: false);
        var stage0 = _rules.Stage0(first.Value);
        if (stage0.Value is null) return new HandshakeResult(null, stage0.Refusal, Bare: false);

        if (faults.ChallengeDelay > TimeSpan.Zero) await Task.Delay(faults.ChallengeDelay, options.Time, cancellationToken);
        var nonce = Base64Url.EncodeToString(options.Nonce());
        await socket.SendAsync(WebSocketOpcode.Text, NexusMessages.HandshakeChallenge(nonce), cancellationToken);

        var second = await ReadTokenAsync("stage1", cancellationToken);
        // A stage 1 that never comes ends without a readable frame: the stock relay's write deadline has lapsed with its read deadline.
        if (second.Value is null) return new HandshakeResult(null, second.Refusal, Bare: second.Refusal == TimedOut("stage1"));
        var stage1 = _rules.Stage1(second.Value, nonce, stage0.Value);
        return new HandshakeResult(stage1.Value, stage1.Refusal, Bare: false);
    }

    private static string TimedOut(string stage) => $"read {stage} token: i/o timeout";

    private async Task<Checked<TokenClaims>> ReadTokenAsync(string stage, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.Clocks.Handshake, options.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        WebSocketMessage message;
        try
        {
            message = await socket.ReceiveAsync(waiting.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return TimedOut(stage);
        }

        if (message.IsEnd) return $"read {stage} token: {message.End}";
        if (message.Opcode is not WebSocketOpcode.Text)
            return string.Create(CultureInfo.InvariantCulture, $"expected text frame for {stage} token, got type {(int)message.Opcode}");
        var claims = _validator.Validate(message.Payload.Span);
        return claims.Refusal is null ? claims : $"{stage} token validation failed: {claims.Refusal}";
    }
}
