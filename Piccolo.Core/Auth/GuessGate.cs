using Piccolo.Core.Vault;

namespace Piccolo.Core.Auth;

/// <summary>How an attempt ended.</summary>
/// <param name="Outcome">Null when it was refused without being evaluated.</param>
public readonly record struct GuessAnswer(VaultOutcome? Outcome, TimeSpan RetryAfter);

/// <summary>
/// The one way to every check of the owner's password, recovery words and set-up code: limited per address, and one at a time for the whole box, so that
/// guessing is slow and cannot take machine or access from the owner. Thread-safe.
/// </summary>
public sealed class GuessGate(GuessLimiter limiter, PasswordCheckQueue queue)
{
    private static readonly TimeSpan FullRetry = TimeSpan.FromSeconds(5);

    public async Task<GuessAnswer> TryAsync(GuessSource source, Func<CancellationToken, Task<VaultOutcome>> attempt, CancellationToken cancellationToken)
    {
        var admission = limiter.Enter(source);
        using var admitted = admission.Attempt;
        if (admitted is null) return new GuessAnswer(null, admission.RetryAfter);
        if (!await queue.EnterAsync(admitted.Rank, cancellationToken)) return new GuessAnswer(null, FullRetry);
        try
        {
            var outcome = await attempt(cancellationToken);
            if (outcome == VaultOutcome.Done) admitted.Succeeded();
            else if (outcome.IsWrongGuess()) admitted.Failed();
            return new GuessAnswer(outcome, TimeSpan.Zero);
        }
        finally
        {
            queue.Leave();
        }
    }
}
