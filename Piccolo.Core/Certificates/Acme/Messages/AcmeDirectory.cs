using System.Collections.Immutable;

namespace Piccolo.Core.Certificates.Acme.Messages;

/// <summary>Where a CA's resources lie (RFC 8555, 7.1.1); every URL is https. What a CA need not have is null.</summary>
internal sealed record AcmeDirectory(Uri NewNonce, Uri NewAccount, Uri NewOrder, bool ExternalAccountRequired)
{
    private const int MaxEntries = 50;

    public Uri? RevokeCert { get; init; }

    /// <summary>RFC 9773, 4.1.</summary>
    public Uri? RenewalInfo { get; init; }

    /// <summary>Names of the profiles that the CA offers.</summary>
    public ImmutableArray<string> Profiles { get; init; } = [];

    /// <summary>What a CAA record must name to allow this CA.</summary>
    public ImmutableArray<string> CaaIdentities { get; init; } = [];

    public string? TermsOfService { get; init; }

    public static AcmeResult<AcmeDirectory> From(DirectoryMessage message) =>
        IsSecure(message.NewNonce) && IsSecure(message.NewAccount) && IsSecure(message.NewOrder)
            ? new AcmeDirectory(message.NewNonce!, message.NewAccount!, message.NewOrder!, message.Meta?.ExternalAccountRequired ?? false)
            {
                RevokeCert = Secure(message.RevokeCert),
                RenewalInfo = Secure(message.RenewalInfo),
                Profiles = [.. (message.Meta?.Profiles?.Keys ?? []).Take(MaxEntries).Select(p => AcmeProblem.Clean(p, 64))],
                CaaIdentities = [.. (message.Meta?.CaaIdentities ?? []).OfType<string>().Take(MaxEntries).Select(c => AcmeProblem.Clean(c, 253))],
                TermsOfService = message.Meta?.TermsOfService is { } terms ? AcmeProblem.Clean(terms) : null,
            }
            : AcmeFailure.Bad("bad_directory", "The CA's directory does not name newNonce, newAccount and newOrder as https addresses.");

    /// <summary>Whether both name the same addresses for what an order needs.</summary>
    public bool IsAt(AcmeDirectory other) => (NewNonce, NewAccount, NewOrder) == (other.NewNonce, other.NewAccount, other.NewOrder);

    public static bool IsSecure(Uri? url) => url is { IsAbsoluteUri: true } && url.Scheme == Uri.UriSchemeHttps;

    private static Uri? Secure(Uri? url) => IsSecure(url) ? url : null;
}
