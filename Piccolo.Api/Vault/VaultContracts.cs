using FluentValidation;
using Piccolo.Core.Locking;

namespace Piccolo.Api.Vault;

/// <param name="Initialized">Whether a key set exists.</param>
/// <param name="Locked">Whether it is closed; false when there is none.</param>
/// <param name="Unfinished">What a lock should have ended and has not yet; absent when all of it has.</param>
public sealed record CryptoStatusResponse(bool Initialized, bool Locked, IReadOnlyList<UnfinishedResponse>? Unfinished);

/// <param name="Message"><c>ok</c> when all that a lock ends has been seen to end; otherwise <c>locked</c>, and the rest is being retried.</param>
public sealed record LockResponse(string Message, IReadOnlyList<UnfinishedResponse>? Unfinished);

/// <param name="Step"><c>keys</c>, <c>jobs</c>, <c>apps</c>, <c>lan_ports</c>, <c>routes</c>, <c>tunnel</c> or <c>certificates</c>.</param>
/// <param name="Reason">One sentence.</param>
public sealed record UnfinishedResponse(string Step, string Reason);

internal static class LockMapping
{
    /// <returns>Null when nothing is unfinished.</returns>
    public static IReadOnlyList<UnfinishedResponse>? ToResponse(this IReadOnlyCollection<UnfinishedStep> steps) =>
        steps.Count == 0 ? null : [.. steps.Select(s => new UnfinishedResponse(s.Step, s.Reason))];
}

public sealed record PasswordRequest(string? Password);

internal sealed class PasswordRequestValidator : AbstractValidator<PasswordRequest>
{
    // One answer costs an Argon2 run; what no password can be is refused before.
    public const int MaxLength = 1024;

    public PasswordRequestValidator() => RuleFor(r => r.Password).NotEmpty().MaximumLength(MaxLength);
}
