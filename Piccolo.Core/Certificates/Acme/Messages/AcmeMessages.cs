using System.Text.Json;
using System.Text.Json.Serialization;

namespace Piccolo.Core.Certificates.Acme.Messages;

// The JSON of RFC 8555, 7.1 and RFC 9773, 4.2, as it comes: everything may be missing. The clients turn it into checked values.

internal sealed record DirectoryMessage(Uri? NewNonce, Uri? NewAccount, Uri? NewOrder, Uri? RevokeCert, Uri? RenewalInfo, DirectoryMeta? Meta);

internal sealed record DirectoryMeta(
    bool ExternalAccountRequired, string? TermsOfService, IReadOnlyList<string?>? CaaIdentities, IReadOnlyDictionary<string, string?>? Profiles);

internal sealed record IdentifierMessage(string? Type, string? Value)
{
    public const string Dns = "dns";
}

internal sealed record OrderMessage(
    string? Status, IReadOnlyList<IdentifierMessage?>? Identifiers, IReadOnlyList<Uri?>? Authorizations, Uri? Finalize, Uri? Certificate,
    ProblemMessage? Error, string? Profile = null);

internal sealed record AuthorizationMessage(string? Status, IdentifierMessage? Identifier, bool Wildcard, IReadOnlyList<ChallengeMessage?>? Challenges);

internal sealed record ChallengeMessage(string? Type, Uri? Url, string? Status, string? Token, ProblemMessage? Error);

internal sealed record ProblemMessage(
    string? Type, string? Title, string? Detail, int? Status, IdentifierMessage? Identifier, IReadOnlyList<ProblemMessage?>? Subproblems,
    string? Instance = null);

internal sealed record NewAccountMessage(bool TermsOfServiceAgreed, IReadOnlyList<string>? Contact, JsonElement? ExternalAccountBinding);

internal sealed record AccountMessage(string? Status, Uri? Orders);

internal sealed record AccountUpdateMessage(IReadOnlyList<string>? Contact);

internal sealed record OrderListMessage(IReadOnlyList<Uri?>? Orders);

internal sealed record NewOrderMessage(IReadOnlyList<IdentifierMessage> Identifiers, string? Profile, string? Replaces);

internal sealed record FinalizeMessage(string Csr);

internal sealed record RevokeMessage(string Certificate, int Reason);

internal sealed record RenewalInfoMessage(WindowMessage? SuggestedWindow, string? ExplanationURL);

internal sealed record WindowMessage(DateTimeOffset? Start, DateTimeOffset? End);

internal sealed record EmptyMessage;

internal static class AcmeJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        MaxDepth = 16,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static byte[] Write<T>(T message) => JsonSerializer.SerializeToUtf8Bytes(message, Options);

    /// <returns>The message, or null when the bytes are not one.</returns>
    public static T? TryRead<T>(ReadOnlySpan<byte> json) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
