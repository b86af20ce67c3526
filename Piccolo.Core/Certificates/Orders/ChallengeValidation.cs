using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>Proves control over an order's names (RFC 8555, 8.3; RFC 8737): all answers are in place before the CA is told of the first.</summary>
internal sealed class ChallengeValidation(Http01Challenges http, TlsAlpn01Challenges tls)
{
    /// <param name="kind">The kind of challenge to answer; where the CA does not offer it, the other one.</param>
    /// <param name="step">Told before and after the CA is.</param>
    /// <returns>Null once every authorization is valid.</returns>
    public async Task<AcmeFailure?> RunAsync(
        AcmeClient client, AcmeAccount account, AcmeOrder order, string kind, Func<OrderStep, Task> step, CancellationToken cancellationToken)
    {
        var presented = new List<IDisposable>();
        try
        {
            var pending = new List<(Uri Url, AcmeChallenge Challenge)>();
            foreach (var url in order.Authorizations)
            {
                var read = await client.AuthorizationAsync(account, url, cancellationToken);
                if (read.Failure is { } failure) return failure;
                var authorization = read.Value;
                if (!order.Names.Contains(authorization.Name.Value))
                    return AcmeFailure.Bad("wrong_names", "The CA wants proof for a name that was not ordered.");
                if (authorization.Status == AcmeStatus.Valid) continue;
                if (authorization.Status != AcmeStatus.Pending) return Refused(account, authorization);
                if (Choose(authorization, kind) is not { } challenge)
                    return new AcmeFailure(
                        AcmeFailureClass.RejectedName, "no_challenge", $"The CA offers neither HTTP-01 nor TLS-ALPN-01 for {authorization.Name}.");
                presented.Add(Present(account, authorization, challenge));
                pending.Add((url, challenge));
            }
            await step(OrderStep.Presented);
            foreach (var (_, challenge) in pending)
            {
                // A challenge that is already being looked at needs no second word (an order taken up again).
                if (challenge.Status != AcmeStatus.Pending) continue;
                if (await client.RespondAsync(account, challenge, cancellationToken) is { } failure) return failure;
            }
            await step(OrderStep.Responded);
            foreach (var (url, _) in pending)
            {
                var settled = await client.SettleAsync(account, url, cancellationToken);
                if (settled.Failure is { } failure) return failure;
                if (settled.Value.Status != AcmeStatus.Valid) return Refused(account, settled.Value);
            }
            return null;
        }
        finally
        {
            foreach (var answer in presented) answer.Dispose();
        }
    }

    private IDisposable Present(AcmeAccount account, AcmeAuthorization authorization, AcmeChallenge challenge)
    {
        var answer = account.Signer.KeyAuthorization(challenge.Token);
        AcmeTranscript.Current?.Redact(challenge.Token);
        AcmeTranscript.Current?.Redact(account.Signer.Thumbprint);
        return challenge.Type == AcmeChallenge.TypeTlsAlpn01
            ? tls.Present(authorization.Name, answer)
            : http.Present(authorization.Name, challenge.Token, answer);
    }

    private static AcmeChallenge? Choose(AcmeAuthorization authorization, string kind) =>
        authorization.Challenges.FirstOrDefault(c => IsOurs(c) && c.Status == AcmeStatus.Processing)
        ?? authorization.Find(kind) ?? authorization.Challenges.FirstOrDefault(IsOurs);

    private static bool IsOurs(AcmeChallenge challenge) => challenge.Type is AcmeChallenge.TypeHttp01 or AcmeChallenge.TypeTlsAlpn01;

    private static AcmeFailure Refused(AcmeAccount account, AcmeAuthorization authorization)
    {
        var challenge = authorization.Challenges.FirstOrDefault(c => c.Error is not null) ?? authorization.Challenges.FirstOrDefault(IsOurs);
        var failure = AcmeErrors.FromChallenge(authorization.Name.Value, challenge?.Error);
        return challenge is null ? failure : failure.Without(challenge.Token).Without(account.Signer.Thumbprint);
    }
}
