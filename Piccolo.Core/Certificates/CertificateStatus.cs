namespace Piccolo.Core.Certificates;

/// <summary>How a wanted certificate is.</summary>
public enum CertificateStatus
{
    /// <summary>Held, and the last attempt did not fail.</summary>
    Ok,

    /// <summary>Not held; being ordered or waiting for its turn.</summary>
    Pending,

    /// <summary>The last attempt failed. What is held, if anything, still serves: see the dates.</summary>
    Error,

    /// <summary>Held and being ordered anew.</summary>
    Renewing,
}
