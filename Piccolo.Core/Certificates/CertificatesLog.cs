using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates;

// Never keys, tokens, key authorizations or bodies. Details are the CA's own words, cleaned and cut.
internal static partial class CertificatesLog
{
    [LoggerMessage(2000, LogLevel.Information,
        "Certificate {CertificateId} issued for {Names} by {Issuer}, valid until {NotAfter:u}, renewal from {RenewAt:u}.")]
    public static partial void CertificateIssued(
        this ILogger logger, string certificateId, string names, string issuer, DateTimeOffset notAfter, DateTimeOffset renewAt);

    [LoggerMessage(2001, LogLevel.Warning,
        "Certificate {CertificateId} not obtained: {Class} {Code}: {Detail} Failure {Failures} in a row; next attempt {NextAttempt:u}.")]
    public static partial void OrderFailed(
        this ILogger logger, string certificateId, AcmeFailureClass @class, string code, string detail, int failures, DateTimeOffset nextAttempt);

    [LoggerMessage(2002, LogLevel.Information, "Ordering certificate {CertificateId} for {Names} at {Directory}, because {Reason}; resumed={Resumed}.")]
    public static partial void OrderStarted(this ILogger logger, string certificateId, string names, string directory, string reason, bool resumed);

    [LoggerMessage(2003, LogLevel.Information, "ACME account registered at {Directory}.")]
    public static partial void AccountRegistered(this ILogger logger, string directory);

    [LoggerMessage(2004, LogLevel.Warning, "{Directory} no longer knows our ACME account; registering again.")]
    public static partial void AccountGone(this ILogger logger, string directory);

    [LoggerMessage(2006, LogLevel.Information, "Certificates in use: {Count}.")]
    public static partial void CertificatesLoaded(this ILogger logger, int count);

    [LoggerMessage(2007, LogLevel.Information, "Store closed: certificates are out of use, their keys wiped.")]
    public static partial void CertificatesClosed(this ILogger logger);

    [LoggerMessage(2008, LogLevel.Error, "Stored certificate {CertificateId} cannot be used and will be ordered again.")]
    public static partial void StoredCertificateUnusable(this ILogger logger, Exception exception, string certificateId);

    [LoggerMessage(2009, LogLevel.Error, "Order of certificate {CertificateId} ended in an unexpected error.")]
    public static partial void OrderCrashed(this ILogger logger, Exception exception, string certificateId);

    [LoggerMessage(2010, LogLevel.Error, "Unexpected error in the renewal loop; continuing.")]
    public static partial void LoopFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2011, LogLevel.Information, "Expired certificate {CertificateId} is no longer wanted and was removed.")]
    public static partial void CertificateRemoved(this ILogger logger, string certificateId);

    [LoggerMessage(2014, LogLevel.Warning, "{Directory} does not take the contact address: {Code} {Detail}")]
    public static partial void ContactRefused(this ILogger logger, string directory, string code, string detail);

    [LoggerMessage(2015, LogLevel.Information, "The CA suggests renewing {CertificateId} between {Start:u} and {End:u}; renewal {RenewAt:u}.")]
    public static partial void RenewalSuggested(this ILogger logger, string certificateId, DateTimeOffset start, DateTimeOffset end, DateTimeOffset renewAt);

    [LoggerMessage(2016, LogLevel.Debug, "No renewal information for {CertificateId}: {Code} {Detail}")]
    public static partial void NoRenewalInformation(this ILogger logger, string certificateId, string code, string detail);

    [LoggerMessage(2017, LogLevel.Information, "The CA revoked the old certificate {Serial} of {CertificateId}.")]
    public static partial void CertificateRevoked(this ILogger logger, string serial, string certificateId);

    [LoggerMessage(2018, LogLevel.Warning, "The old certificate {Serial} of {CertificateId} is not revoked yet: {Code} {Detail} Next attempt {NextAttempt:u}.")]
    public static partial void RevocationFailed(
        this ILogger logger, string serial, string certificateId, string code, string detail, DateTimeOffset nextAttempt);

    [LoggerMessage(2019, LogLevel.Information,
        "The CA refused the order of {CertificateId} that names the certificate to replace: {Code} {Detail} Ordering without 'replaces'.")]
    public static partial void OrderedWithoutReplaces(this ILogger logger, string certificateId, string code, string detail);

    [LoggerMessage(2020, LogLevel.Information, "Found an order of {CertificateId} at the CA that was placed before an interruption; taking it up.")]
    public static partial void OrderFound(this ILogger logger, string certificateId);

    [LoggerMessage(2021, LogLevel.Warning, "Certificate {CertificateId}: the first CA has failed since {FailingSince:u}; asking {Directory}.")]
    public static partial void SecondAuthorityAsked(this ILogger logger, string certificateId, DateTimeOffset failingSince, string directory);
}
