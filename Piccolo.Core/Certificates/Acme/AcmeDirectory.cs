namespace Piccolo.Core.Certificates.Acme;

/// <summary>Where a CA's resources lie (RFC 8555, 7.1.1); every URL is https.</summary>
internal sealed record AcmeDirectory(Uri NewNonce, Uri NewAccount, Uri NewOrder, bool ExternalAccountRequired)
{
    public static AcmeResult<AcmeDirectory> From(DirectoryMessage message) =>
        IsSecure(message.NewNonce) && IsSecure(message.NewAccount) && IsSecure(message.NewOrder)
            ? new AcmeDirectory(message.NewNonce!, message.NewAccount!, message.NewOrder!, message.Meta?.ExternalAccountRequired ?? false)
            : AcmeFailure.Bad("bad_directory", "The CA's directory does not name newNonce, newAccount and newOrder as https addresses.");

    public static bool IsSecure(Uri? url) => url is { IsAbsoluteUri: true } && url.Scheme == Uri.UriSchemeHttps;
}
