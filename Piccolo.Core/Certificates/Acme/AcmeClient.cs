using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>
/// The client side of RFC 8555: typed calls whose answers were checked for shape, so that a caller never sees a state without what belongs to it.
/// Thread-safe.
/// </summary>
internal sealed class AcmeClient(AcmeHttp http, AcmeOptions options, TimeProvider time, ILogger<AcmeClient> logger)
{
    private const string Json = "application/json";
    private const string PemChain = "application/pem-certificate-chain";

    /// <summary>How long a directory is believed; a failure drops it earlier.</summary>
    private static readonly TimeSpan DirectoryAge = TimeSpan.FromHours(1);

    private readonly AcmeRequests _requests = new(http, new NonceSource(http), logger);
    private (AcmeDirectory Directory, DateTimeOffset At)? _directory;
    private readonly Lock _gate = new();

    public Uri DirectoryUrl => options.DirectoryUrl;

    /// <summary>Reads the directory anew at the next call: its addresses may have moved.</summary>
    public void ForgetDirectory()
    {
        lock (_gate) _directory = null;
    }

    public async Task<AcmeResult<AcmeDirectory>> DirectoryAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_directory is { } known && time.GetUtcNow() - known.At < DirectoryAge) return known.Directory;
        }
        var answer = await http.SendAsync(HttpMethod.Get, options.DirectoryUrl, null, Json, cancellationToken);
        if (answer.Failure is { } failure) return failure;
        if (!answer.Value.IsSuccess) return AcmeErrors.FromAnswer(answer.Value);
        var message = Read<DirectoryMessage>(answer.Value);
        if (message.Failure is { } bad) return bad;
        var directory = AcmeDirectory.From(message.Value);
        if (directory.Failure is null)
        {
            lock (_gate) _directory = (directory.Value, time.GetUtcNow());
        }
        return directory;
    }

    /// <summary>Creates the account of <paramref name="signer"/>'s key, or finds it where the CA knows the key (RFC 8555, 7.3 and 7.3.1).</summary>
    public async Task<AcmeResult<Uri>> CreateAccountAsync(JwsSigner signer, CancellationToken cancellationToken)
    {
        var directory = await DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        var external = options.ExternalAccount;
        if (directory.Value.ExternalAccountRequired && !external.IsSet)
            return new AcmeFailure(AcmeFailureClass.Account, "external_account_required", "The CA wants an external account binding and none is configured.");
        JsonElement? binding = external.IsSet
            ? JsonDocument.Parse(signer.BindExternally(directory.Value.NewAccount, external.KeyId!, Base64Url.DecodeFromChars(external.HmacKey))).RootElement
            : null;
        IReadOnlyList<string>? contact = string.IsNullOrWhiteSpace(options.Email) ? null : [$"mailto:{options.Email}"];
        return await NewAccountAsync(directory.Value, signer, new NewAccountMessage(true, contact, null, binding), cancellationToken);
    }

    /// <summary>The account of <paramref name="signer"/>'s key, where the CA knows it; creates none (RFC 8555, 7.3.1).</summary>
    public async Task<AcmeResult<Uri>> FindAccountAsync(JwsSigner signer, CancellationToken cancellationToken)
    {
        var directory = await DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        return await NewAccountAsync(directory.Value, signer, new NewAccountMessage(true, null, OnlyReturnExisting: true, null), cancellationToken);
    }

    public async Task<AcmeResult<AcmeOrder>> NewOrderAsync(AcmeAccount account, IEnumerable<DomainName> names, CancellationToken cancellationToken)
    {
        var directory = await DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        var wanted = names.Select(n => n.Value).ToImmutableSortedSet(StringComparer.Ordinal);
        var message = new NewOrderMessage([.. wanted.Select(n => new IdentifierMessage(IdentifierMessage.Dns, n))]);
        var answer = await PostAsync(account, directory.Value.NewOrder, AcmeJson.Write(message), Json, cancellationToken);
        if (answer.Failure is { } failure) return failure;
        if (!AcmeDirectory.IsSecure(answer.Value.Location)) return AcmeFailure.Bad("bad_url", "The CA accepted the order but does not say where it is.");
        var order = AcmeShapes.Order(Read<OrderMessage>(answer.Value), answer.Value.Location!, answer.Value.RetryAfter);
        return order.Failure is null && !order.Value.Names.SetEquals(wanted)
            ? AcmeFailure.Bad("wrong_names", "The CA made an order for other names than those asked for.")
            : order;
    }

    public async Task<AcmeResult<AcmeOrder>> OrderAsync(AcmeAccount account, Uri url, CancellationToken cancellationToken)
    {
        var answer = await PostAsync(account, url, null, Json, cancellationToken);
        return answer.Failure is { } failure ? failure : AcmeShapes.Order(Read<OrderMessage>(answer.Value), url, answer.Value.RetryAfter);
    }

    public async Task<AcmeResult<AcmeAuthorization>> AuthorizationAsync(AcmeAccount account, Uri url, CancellationToken cancellationToken)
    {
        var answer = await PostAsync(account, url, null, Json, cancellationToken);
        return answer.Failure is { } failure ? failure : AcmeShapes.Authorization(Read<AuthorizationMessage>(answer.Value), answer.Value.RetryAfter);
    }

    /// <summary>Tells the CA that the answer to a challenge is in its place (RFC 8555, 7.5.1).</summary>
    public async Task<AcmeFailure?> RespondAsync(AcmeAccount account, AcmeChallenge challenge, CancellationToken cancellationToken)
    {
        var answer = await PostAsync(account, challenge.Url, AcmeJson.Write(new EmptyMessage()), Json, cancellationToken);
        return answer.Failure;
    }

    public async Task<AcmeResult<AcmeOrder>> FinalizeAsync(AcmeAccount account, AcmeOrder order, byte[] csr, CancellationToken cancellationToken)
    {
        var message = new FinalizeMessage(Base64Url.EncodeToString(csr));
        var answer = await PostAsync(account, order.Finalize, AcmeJson.Write(message), Json, cancellationToken);
        return answer.Failure is { } failure ? failure : AcmeShapes.Order(Read<OrderMessage>(answer.Value), order.Url, answer.Value.RetryAfter);
    }

    /// <summary>The issued chain as PEM, unchecked.</summary>
    public async Task<AcmeResult<string>> DownloadAsync(AcmeAccount account, Uri certificate, CancellationToken cancellationToken)
    {
        var answer = await PostAsync(account, certificate, null, PemChain, cancellationToken);
        if (answer.Failure is { } failure) return failure;
        return answer.Value.MediaType == PemChain
            ? Encoding.ASCII.GetString(answer.Value.Body)
            : AcmeFailure.Bad("bad_content_type", "The CA sent something else than a PEM chain for the certificate.");
    }

    /// <summary>Asks again until the authorization is no longer pending; bounded by the caller's token and <see cref="AcmePolling.MaxPolls"/>.</summary>
    public Task<AcmeResult<AcmeAuthorization>> SettleAsync(AcmeAccount account, Uri authorization, CancellationToken cancellationToken) => PollAsync(
        () => AuthorizationAsync(account, authorization, cancellationToken), a => a.Status != AcmeStatus.Pending, a => a.RetryAfter, null, cancellationToken);

    /// <summary>Asks again until the order is in none of <paramref name="passing"/>.</summary>
    public Task<AcmeResult<AcmeOrder>> SettleAsync(AcmeAccount account, AcmeOrder order, AcmeStatus[] passing, CancellationToken cancellationToken) =>
        passing.Contains(order.Status)
            ? PollAsync(() => OrderAsync(account, order.Url, cancellationToken), o => !passing.Contains(o.Status), o => o.RetryAfter, order.RetryAfter, cancellationToken)
            : Task.FromResult<AcmeResult<AcmeOrder>>(order);

    private async Task<AcmeResult<T>> PollAsync<T>(
        Func<Task<AcmeResult<T>>> read, Func<T, bool> isSettled, Func<T, TimeSpan?> retryAfter, TimeSpan? firstAsked, CancellationToken cancellationToken)
    {
        var asked = firstAsked;
        for (var poll = 0; poll < AcmePolling.MaxPolls; poll++)
        {
            await Task.Delay(AcmePolling.DelayBefore(poll, asked), time, cancellationToken);
            var result = await read();
            if (result.Failure is not null || isSettled(result.Value)) return result;
            asked = retryAfter(result.Value);
        }
        return new AcmeFailure(AcmeFailureClass.CaUnavailable, "not_finished", "The CA does not finish what it began.");
    }

    private async Task<AcmeResult<Uri>> NewAccountAsync(AcmeDirectory directory, JwsSigner signer, NewAccountMessage message, CancellationToken cancellationToken)
    {
        var answer = await _requests.PostAsync(directory, signer, null, directory.NewAccount, AcmeJson.Write(message), Json, cancellationToken);
        if (answer.Failure is { } failure) return failure;
        if (!AcmeDirectory.IsSecure(answer.Value.Location)) return AcmeFailure.Bad("bad_url", "The CA accepted the account but does not say where it is.");
        return answer.Value.Location!;
    }

    private async Task<AcmeResult<AcmeAnswer>> PostAsync(AcmeAccount account, Uri url, byte[]? payload, string accept, CancellationToken cancellationToken)
    {
        var directory = await DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        return await _requests.PostAsync(directory.Value, account.Signer, account.Url, url, payload, accept, cancellationToken);
    }

    private static AcmeResult<T> Read<T>(AcmeAnswer answer) where T : class
    {
        if (answer.MediaType != Json) return AcmeFailure.Bad("bad_content_type", "The CA's answer is not JSON: something else may stand between the appliance and the CA.");
        return AcmeJson.TryRead<T>(answer.Body) is { } message ? message : AcmeFailure.Bad("bad_json", "The CA's answer is malformed JSON.");
    }
}
