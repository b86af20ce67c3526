using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text.Json;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Wire;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>What RFC 8555, 7.3 says about accounts: create, contact, whether it lives, the list of orders. Thread-safe.</summary>
internal sealed class AcmeAccountClient(AcmeChannel channel)
{
    private const int MaxOrdersRead = 200;

    /// <summary>Creates the account of <paramref name="signer"/>'s key, or finds it where the CA knows the key (RFC 8555, 7.3 and 7.3.1).</summary>
    public async Task<AcmeResult<Uri>> CreateAsync(JwsSigner signer, CancellationToken cancellationToken)
    {
        var directory = await channel.DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        var external = channel.Options.ExternalAccount;
        if (directory.Value.ExternalAccountRequired && !external.IsSet)
            return new AcmeFailure(AcmeFailureClass.Account, "external_account_required", "The CA wants an external account binding and none is configured.");
        return await NewAccountAsync(signer, at => new NewAccountMessage(true, Contact(channel.Options.Email), Bind(at)), cancellationToken);

        JsonElement? Bind(Uri newAccount) => external.IsSet
            ? JsonDocument.Parse(signer.BindExternally(newAccount, external.KeyId!, Base64Url.DecodeFromChars(external.HmacKey))).RootElement
            : null;
    }

    /// <summary>Tells the CA where to write to from now on; null for nowhere (RFC 8555, 7.3.2).</summary>
    public Task<AcmeFailure?> UpdateContactAsync(AcmeAccount account, string? email, CancellationToken cancellationToken) =>
        UpdateAsync(account, new AccountUpdateMessage(Contact(email) ?? []), cancellationToken);

    /// <summary>Whether the CA takes nothing of this account any more: it says so, or refuses even to show it (RFC 8555, 7.3.6).</summary>
    public async Task<bool> IsDeactivatedAsync(AcmeAccount account, CancellationToken cancellationToken)
    {
        var answer = await channel.PostAsync(account, account.Url, null, cancellationToken);
        if (answer.Failure is { } failure) return failure.Problem?.Type == AcmeErrors.Unauthorized;
        return AcmeChannel.Read<AccountMessage>(answer.Value) is { Failure: null, Value.Status: "deactivated" or "revoked" };
    }

    /// <summary>The account's open orders, newest last, as far as the CA lists them (RFC 8555, 7.1.2.1); empty where it does not.</summary>
    public async Task<AcmeResult<ImmutableArray<Uri>>> OrdersAsync(AcmeAccount account, CancellationToken cancellationToken)
    {
        var answer = await channel.PostAsync(account, account.Url, null, cancellationToken);
        if (answer.Failure is { } failure) return failure;
        var message = AcmeChannel.Read<AccountMessage>(answer.Value);
        if (message.Failure is not null || !AcmeDirectory.IsSecure(message.Value.Orders)) return ImmutableArray<Uri>.Empty;
        var listed = await channel.PostAsync(account, message.Value.Orders!, null, cancellationToken);
        if (listed.Failure is { } unlisted) return unlisted;
        var list = AcmeChannel.Read<OrderListMessage>(listed.Value);
        return list.Failure is null
            ? [.. (list.Value.Orders ?? []).OfType<Uri>().Where(AcmeDirectory.IsSecure).TakeLast(MaxOrdersRead)]
            : ImmutableArray<Uri>.Empty;
    }

    private static IReadOnlyList<string>? Contact(string? email) => string.IsNullOrWhiteSpace(email) ? null : [$"mailto:{email}"];

    private async Task<AcmeFailure?> UpdateAsync(AcmeAccount account, AccountUpdateMessage update, CancellationToken cancellationToken) =>
        (await channel.PostAsync(account, account.Url, AcmeJson.Write(update), cancellationToken)).Failure;

    private async Task<AcmeResult<Uri>> NewAccountAsync(JwsSigner signer, Func<Uri, NewAccountMessage> message, CancellationToken cancellationToken)
    {
        var answer = await channel.WithDirectoryAsync(
            d => channel.PostAsync(d, signer, d.NewAccount, AcmeJson.Write(message(d.NewAccount)), cancellationToken), cancellationToken);
        if (answer.Failure is { } failure) return failure;
        if (!AcmeDirectory.IsSecure(answer.Value.Location)) return AcmeFailure.Bad("bad_url", "The CA accepted the account but does not say where it is.");
        return answer.Value.Location!;
    }
}
