using Piccolo.Core.Certificates.Acme.Messages;

namespace Piccolo.Core.Certificates.Ledger;

/// <summary>What an owner can do about a failure, in one sentence. Pure.</summary>
public static class NextSteps
{
    internal static AttemptError Describe(AcmeFailure failure) => new(failure.Class, failure.Code, failure.Detail, For(failure.Class, failure.Code));

    /// <summary>Where a limit of the CA's, kept on our side, is why nothing is tried.</summary>
    public static string HeldBack(string limit, DateTimeOffset until) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Sentence(limit)} The next order begins at {until:yyyy-MM-dd HH:mm:ss}Z.");

    private static string Sentence(string limit) => limit switch
    {
        "orders" => "This device has asked for as many orders as the certificate authority allows in this period.",
        "domain" => "The certificate authority has issued as many new certificates below this domain as it allows in this period.",
        "same_names" => "The certificate authority has issued as many certificates for these very names as it allows in this period.",
        _ => "As many validations of this name have failed as the certificate authority allows in this period.",
    };

    private static string For(AcmeFailureClass failure, string code) => (failure, code) switch
    {
        (AcmeFailureClass.Network, "dns_failed") => "Check that this device can resolve names on the internet.",
        (AcmeFailureClass.Network, "tls_failed") => "Check the device's clock; for a private CA set Acme:TrustedRootsFile to its root.",
        (AcmeFailureClass.Clock, _) => "Set the device's clock, or let it reach a time server; the device retries automatically.",
        (AcmeFailureClass.BadCsr, _) => "Set Acme:KeyType to P-256, which every certificate authority takes; otherwise check for an update of the appliance.",
        (AcmeFailureClass.Network, _) => "Check the device's internet connection; the device retries automatically.",
        (AcmeFailureClass.CaUnavailable, _) => "Nothing to do: the certificate authority is busy or down, and the device retries automatically.",
        (AcmeFailureClass.RateLimited, _) => "Nothing to do: the certificate authority asked for a pause, after which the device retries.",
        (AcmeFailureClass.ChallengeFailed, "challenge_dns") => "Check that the name's DNS record exists and points to the relay.",
        (AcmeFailureClass.ChallengeFailed, "challenge_connection") => "Check that the name points to the relay and that the relay's port 80 is open.",
        (AcmeFailureClass.ChallengeFailed, "challenge_incorrect_response" or "challenge_unauthorized") =>
            "Something else answers for this name: check that it points to this device's relay and to nothing else, AAAA records included.",
        (AcmeFailureClass.ChallengeFailed, "challenge_tls") => "Check that the name points to the relay and that the relay's port 443 is open.",
        (AcmeFailureClass.ChallengeFailed, "challenge_caa" or "caa") => "Let the domain's CAA record allow this certificate authority.",
        (AcmeFailureClass.ChallengeFailed, _) => "Check that the name points to this device's relay and to nothing else, AAAA records included.",
        (AcmeFailureClass.RejectedName, _) => "Use another name: this certificate authority does not issue for this one.",
        (AcmeFailureClass.Account, "external_account_required") => "Set Acme:ExternalAccount to the key id and key that the certificate authority gave you.",
        (AcmeFailureClass.Account, "user_action_required") =>
            "Read the certificate authority's new terms of service at the address that it names; the device retries daily.",
        (AcmeFailureClass.Account, _) => "See what the certificate authority says about the account, and correct Acme:Email or Acme:ExternalAccount.",
        (AcmeFailureClass.BadResponse, "bad_content_type" or "bad_json" or "bad_directory" or "bad_http") =>
            "Check that Acme:DirectoryUrl names an ACME directory and that no captive portal is in between.",
        (AcmeFailureClass.BadResponse, "bad_dates") => "Check the device's clock.",
        (AcmeFailureClass.BadResponse, _) => "The certificate authority's answer was refused and nothing of it was stored; if this repeats, use another one.",
        (AcmeFailureClass.RefusedRequest, "unknown_profile") => "Set Acme:Profile to a profile that the certificate authority offers, or to none.",
        (AcmeFailureClass.RefusedRequest, _) => "The certificate authority refuses the request's form; check for an update of the appliance.",
        (AcmeFailureClass.Interrupted, _) => "Nothing to do: the device takes the order up again.",
        _ => "See the device's log; the device retries automatically.",
    };
}
