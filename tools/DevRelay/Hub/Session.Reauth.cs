using System.Buffers.Text;
using Piccolo.DevRelay.Protocol;

namespace Piccolo.DevRelay.Hub;

internal sealed partial class Session
{
    /// <summary>A re-auth comes between the interval and this much more of it.</summary>
    private const double ReauthSpread = 0.2;

    private int _awaitsAnswer;
    private long _reauthentications;

    private void TakeAnswer(ReadOnlyMemory<byte> text)
    {
        if (Volatile.Read(ref _awaitsAnswer) == 0) _logger.TextIgnored(Id);
        else _answers.Writer.TryWrite(text.ToArray());
    }

    private async Task ReauthenticateAsync()
    {
        var rules = new ClaimRules(_options, _faults.Clock(_options.Time));
        var validator = new TokenValidator(_options.Secret, _faults.Clock(_options.Time));
        while (Grant.ReauthIntervalSeconds > 0)
        {
            var interval = _options.Clocks.ReauthSecond * Grant.ReauthIntervalSeconds;
            await Task.Delay(interval * (1 + (ReauthSpread * _options.Jitter())), _options.Time, _teardown);
            var nonce = Base64Url.EncodeToString(_options.Nonce());
            var refusal = await ChallengeAsync(nonce) is { } answer ? Renew(validator.Validate(answer), rules, nonce) : "no answer";
            if (refusal is null) continue;
            End("re-authentication failed: " + refusal);
            return;
        }
    }

    private async Task<byte[]?> ChallengeAsync(string nonce)
    {
        var grace = Grant.ReauthGraceSeconds > 0 ? _options.Clocks.ReauthSecond * Grant.ReauthGraceSeconds : _options.Clocks.ReauthGrace;
        using var limit = new CancellationTokenSource(grace, _options.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _teardown);
        // A stale answer is discarded before the challenge goes out, never after: an answer may be quick.
        _answers.Reader.TryRead(out _);
        Volatile.Write(ref _awaitsAnswer, 1);
        try
        {
            return _lanes.TryChallenge(NexusMessages.ReauthChallenge(nonce)) ? await _answers.Reader.ReadAsync(waiting.Token) : null;
        }
        catch (OperationCanceledException) when (!_ended.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            Volatile.Write(ref _awaitsAnswer, 0);
        }
    }

    private string? Renew(Checked<TokenClaims> token, ClaimRules rules, string nonce)
    {
        if (_faults.RefuseReauth) return "refused by a fault switch";
        if (token.Value is null) return token.Refusal;
        var grant = rules.Reauth(token.Value, nonce, Grant);
        if (grant.Value is null) return grant.Refusal;
        Grant = grant.Value;
        Interlocked.Increment(ref _reauthentications);
        _logger.Reauthenticated(Id);
        return null;
    }
}
