using Piccolo.Core.Certificates.Acme;

namespace Piccolo.Core.Certificates;

/// <summary>Proves control over an order's names by HTTP-01 (RFC 8555, 8.3): all answers are in place before the CA is told of the first.</summary>
internal sealed class Http01Validation(AcmeClient client, Http01Challenges challenges)
{
    /// <returns>Null once every authorization is valid.</returns>
    public async Task<AcmeFailure?> RunAsync(AcmeAccount account, AcmeOrder order, CancellationToken cancellationToken)
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
                if (!order.Names.Contains(authorization.Name.Value)) return AcmeFailure.Bad("wrong_names", "The CA wants proof for a name that was not ordered.");
                if (authorization.Status == AcmeStatus.Valid) continue;
                if (authorization.Status != AcmeStatus.Pending) return Refused(account, authorization);
                if (authorization.Http01 is not { } challenge)
                    return new AcmeFailure(AcmeFailureClass.RejectedName, "no_http01", $"The CA offers no HTTP-01 challenge for {authorization.Name}.");
                presented.Add(challenges.Present(authorization.Name, challenge.Token, account.Signer.KeyAuthorization(challenge.Token)));
                pending.Add((url, challenge));
            }
            foreach (var (_, challenge) in pending)
            {
                // A challenge that is already being looked at needs no second word (an order taken up again).
                if (challenge.Status != AcmeStatus.Pending) continue;
                if (await client.RespondAsync(account, challenge, cancellationToken) is { } failure) return failure;
            }
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

    private static AcmeFailure Refused(AcmeAccount account, AcmeAuthorization authorization)
    {
        var challenge = authorization.Challenges.FirstOrDefault(c => c.Error is not null) ?? authorization.Http01;
        var failure = AcmeErrors.FromChallenge(authorization.Name.Value, challenge?.Error);
        return challenge is null ? failure : failure.Without(challenge.Token).Without(account.Signer.Thumbprint);
    }
}
