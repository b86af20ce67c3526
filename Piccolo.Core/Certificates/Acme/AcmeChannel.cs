using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Acme.Wire;

namespace Piccolo.Core.Certificates.Acme;

/// <summary>
/// The line to one CA: its directory, kept for a while, its nonces, and signed requests with answers read by content type. Thread-safe. Owns the
/// connections.
/// </summary>
internal sealed class AcmeChannel(AcmeHttp http, CaOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    public const string Json = "application/json";

    /// <summary>How long a directory is believed; a failure drops it earlier.</summary>
    private static readonly TimeSpan DirectoryAge = TimeSpan.FromHours(1);

    private readonly AcmeRequests _requests = new(http, new NonceSource(http), logger);
    private readonly Lock _gate = new();
    private (AcmeDirectory Directory, DateTimeOffset At)? _directory;

    public CaOptions Options => options;

    public Uri DirectoryUrl => options.DirectoryUrl;

    /// <summary>The last directory that was read; null before the first.</summary>
    public AcmeDirectory? KnownDirectory { get; private set; }

    /// <summary>How far the CA's clock is ahead of ours; null before its first answer.</summary>
    public TimeSpan? ServerAhead => http.ServerAhead;

    /// <summary>Reads the directory again at the next call: its addresses may have moved.</summary>
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
        var answer = await GetAsync(options.DirectoryUrl, cancellationToken);
        if (answer.Failure is { } failure) return failure;
        var message = Read<DirectoryMessage>(answer.Value);
        if (message.Failure is { } bad) return bad;
        var directory = AcmeDirectory.From(message.Value);
        if (directory.Failure is null)
        {
            lock (_gate) _directory = (KnownDirectory = directory.Value, time.GetUtcNow());
        }
        return directory;
    }

    /// <summary>
    /// Uses a resource that the directory names. Where it is gone, the directory is read again, and once more if the CA has moved (RFC 8555, 7.1.1).
    /// </summary>
    public async Task<AcmeResult<AcmeAnswer>> WithDirectoryAsync(Func<AcmeDirectory, Task<AcmeResult<AcmeAnswer>>> use, CancellationToken cancellationToken)
    {
        var directory = await DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        var answer = await use(directory.Value);
        if (answer.Failure is not { Status: 404 or 405 or 410 }) return answer;
        ForgetDirectory();
        var next = await DirectoryAsync(cancellationToken);
        return next.Failure is not null || next.Value.IsAt(directory.Value) ? answer : await use(next.Value);
    }

    /// <summary>An unsigned request: only the directory and renewal hints are read so (RFC 8555, 6.2; RFC 9773, 4.1).</summary>
    public async Task<AcmeResult<AcmeAnswer>> GetAsync(Uri url, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(HttpMethod.Get, url, null, Json, cancellationToken);
        if (answer.Failure is { } failure) return failure;
        return answer.Value.IsSuccess ? answer : AcmeErrors.FromAnswer(answer.Value);
    }

    /// <param name="payload">Null for POST-as-GET.</param>
    public async Task<AcmeResult<AcmeAnswer>> PostAsync(
        AcmeAccount account, Uri url, byte[]? payload, CancellationToken cancellationToken, string accept = Json)
    {
        var directory = await DirectoryAsync(cancellationToken);
        if (directory.Failure is { } unknown) return unknown;
        return await _requests.PostAsync(directory.Value, account.Signer, account.Url, url, payload, accept, cancellationToken);
    }

    /// <summary>Signed with a bare key instead of an account (RFC 8555, 6.2): newAccount, and revocation by a certificate's own key.</summary>
    public Task<AcmeResult<AcmeAnswer>> PostAsync(AcmeDirectory directory, JwsSigner signer, Uri url, byte[] payload, CancellationToken cancellationToken) =>
        _requests.PostAsync(directory, signer, null, url, payload, Json, cancellationToken);

    /// <param name="directory">The one that named <paramref name="url"/>.</param>
    public Task<AcmeResult<AcmeAnswer>> PostAsync(AcmeDirectory directory, AcmeAccount account, Uri url, byte[] payload, CancellationToken cancellationToken) =>
        _requests.PostAsync(directory, account.Signer, account.Url, url, payload, Json, cancellationToken);

    public static AcmeResult<T> Read<T>(AcmeAnswer answer) where T : class
    {
        if (answer.MediaType != Json)
            return AcmeFailure.Bad("bad_content_type", "The CA's answer is not JSON: something else may stand between the appliance and the CA.");
        return AcmeJson.TryRead<T>(answer.Body) is { } message ? message : AcmeFailure.Bad("bad_json", "The CA's answer is malformed JSON.");
    }

    public void Dispose() => http.Dispose();
}
