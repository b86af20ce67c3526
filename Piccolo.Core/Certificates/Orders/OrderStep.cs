namespace Piccolo.Core.Certificates.Orders;

/// <summary>How far an order is; a test can stop the device at each.</summary>
internal enum OrderStep
{
    /// <summary>The attempt is in the ledger; the CA has heard nothing of it.</summary>
    Begun,

    /// <summary>The account is known to the CA and to the store.</summary>
    AccountReady,

    /// <summary>The CA has made the order; the store does not know which.</summary>
    Ordered,

    /// <summary>The order is in the ledger, with the key that its certificate will have.</summary>
    Placed,

    /// <summary>The answers to the challenges are in place.</summary>
    Presented,

    /// <summary>The CA was told to look.</summary>
    Responded,

    /// <summary>The CA believes all names.</summary>
    Validated,

    /// <summary>The CA has made the certificate.</summary>
    Finalized,

    /// <summary>The chain was read and checked; nothing of it is stored.</summary>
    Downloaded,

    /// <summary>The certificate is stored and serves.</summary>
    Stored,
}
