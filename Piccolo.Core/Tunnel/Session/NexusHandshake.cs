using Piccolo.Core.Tunnel.Wire;

namespace Piccolo.Core.Tunnel.Session;

/// <summary>The two tokens and the challenge between them. What the relay makes of the second one shows only later.</summary>
internal static class NexusHandshake
{
    private const int MaxNonceChars = 256;

    /// <returns>Null when both tokens are out.</returns>
    public static async Task<TunnelFailure?> RunAsync(
        RelaySocket socket, NexusToken token, TunnelOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.ChallengeTimeout, time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            await socket.SendTextAsync(token.Handshake(), waiting.Token);
            var answer = await socket.ReceiveAsync(waiting.Token);
            if (answer.Kind == RelayMessageKind.Closed) return TunnelFailure.RefusedBecause(answer.HasCloseFrame ? answer.Detail : null);
            var challenge = answer.Kind == RelayMessageKind.Text ? NexusFrameCodec.ReadChallenge(answer.Body.Span) : null;
            if (challenge?.Type != ChallengeMessage.Handshake || !IsNonce(challenge.Nonce)) return TunnelFailure.BadChallenge;
            await socket.SendTextAsync(token.Attest(challenge.Nonce!), waiting.Token);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return TunnelFailure.NoChallenge;
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return TunnelFailure.Lost(failure.Message);
        }
    }

    public static bool IsNonce(string? nonce) => !string.IsNullOrWhiteSpace(nonce) && nonce.Length <= MaxNonceChars;
}
