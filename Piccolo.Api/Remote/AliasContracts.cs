using FluentValidation;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Remote;

public enum AliasStatus
{
    /// <summary>Does not lead to the relay yet, has no certificate yet, or was not dialled yet: the message says which.</summary>
    Pending,

    /// <summary>This device was reached under the name, from outside.</summary>
    Active,

    /// <summary>The record went away, the certificate could not be ordered, or clients from outside do not reach this device under it.</summary>
    Error,
}

/// <param name="Listener"><c>portal</c>, which is the default, or a listener's name.</param>
/// <param name="Hostname">A whole name; no wildcard.</param>
public sealed record AddAliasRequest(string? Listener, string? Hostname);

/// <param name="Id"><c>alias:&lt;fqdn&gt;</c>; its certificate has the same.</param>
/// <param name="Reach">How the name was last found from outside; absent while it is not routed.</param>
public sealed record AliasResponse(
    string Id, string Hostname, string Listener, AliasStatus Status, DateTimeOffset? LastChecked, DateTimeOffset? VerifiedAt,
    string? Message, string? NextStep, NameReachResponse? Reach);

public sealed record AliasesResponse(IReadOnlyList<AliasResponse> Aliases);

internal sealed class AddAliasRequestValidator : AbstractValidator<AddAliasRequest>
{
    public AddAliasRequestValidator()
    {
        RuleFor(r => r.Listener).MaximumLength(63);
        RuleFor(r => r.Hostname).Custom((hostname, context) =>
        {
            if (hostname?.Trim().StartsWith('*') == true)
                context.AddFailure(
                    "a wildcard cannot be an alias: certificate authorities certify wildcards only by a DNS record that this device cannot set (dns-01). "
                    + "Add each name by itself.");
            else if (!DomainName.TryParse(hostname, out var name) || !name.IsQualified)
                context.AddFailure("must be a host name with at least two labels");
        });
    }
}
