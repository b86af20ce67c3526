using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>From proven names to an order that is valid (RFC 8555, 7.4).</summary>
internal static class OrderFinish
{
    public static async Task<AcmeResult<AcmeOrder>> RunAsync(
        AcmeClient client, AcmeAccount account, AcmeOrder order, LeafKey key, CancellationToken cancellationToken)
    {
        if (order.Status is AcmeStatus.Pending or AcmeStatus.Ready)
        {
            var csr = key.SigningRequest(order.Names);
            var sent = await client.FinalizeAsync(account, order, csr, cancellationToken);
            if (sent.Failure?.Problem?.Type == AcmeErrors.OrderNotReady)
            {
                // The authorizations are valid but the order has not noticed yet; or it was finalized already, and the answer was lost.
                var ready = await client.SettleAsync(account, order with { Status = AcmeStatus.Pending }, [AcmeStatus.Pending], cancellationToken);
                if (ready.Failure is { } stuck) return stuck;
                sent = ready.Value.Status == AcmeStatus.Ready ? await client.FinalizeAsync(account, order, csr, cancellationToken) : ready;
            }
            if (sent.Failure is { } failure) return failure;
            order = sent.Value;
        }
        var settled = await client.SettleAsync(account, order, [AcmeStatus.Ready, AcmeStatus.Processing], cancellationToken);
        if (settled.Failure is { } unsettled) return unsettled;
        return settled.Value.Status switch
        {
            AcmeStatus.Valid => settled,
            AcmeStatus.Invalid => AcmeErrors.FromOrder(settled.Value.Error),
            _ => AcmeFailure.Bad("bad_order_state", $"The CA's order went back to '{settled.Value.Status}'."),
        };
    }
}
