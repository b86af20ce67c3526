using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Platform;

namespace Piccolo.Tests.Api.Platform;

internal sealed class StartFaultTests
{
    [Test]
    public void Setting_IsNamedAsItsOwnerWroteIt()
    {
        string[] failures = ["DataAnnotation validation failed for 'IngressOptions' members: 'HttpPort' with the error: 'The field is wrong.'."];

        var fault = StartFault.Of(new OptionsValidationException("", typeof(IngressOptions), failures));

        Assert.That(fault, Is.EqualTo(new StartFault(78, "A setting is invalid. Piccolo:Ingress:HttpPort: The field is wrong.")));
    }

    [Test]
    public void Setting_OfAnotherForm_KeepsItsSentence() => Assert.That(
        StartFault.Of(new OptionsValidationException("", typeof(IngressOptions), ["A source is not a network."]))!.Sentence,
        Is.EqualTo("A setting is invalid. A source is not a network."));

    [Test]
    public void Port_IsNamed()
    {
        var taken = new IOException("Failed to bind to address http://127.0.0.1:80: address already in use.", new AddressInUseException("in use"));
        var forbidden = new IOException("Failed to bind to 0.0.0.0:80: Permission denied.", new SocketException((int)SocketError.AccessDenied));

        Assert.That(StartFault.Of(taken)!.Sentence, Does.StartWith("Failed to bind to address http://127.0.0.1:80").And.Contains("Stop the other program"));
        Assert.That(StartFault.Of(forbidden)!.Sentence, Does.StartWith("Failed to bind to 0.0.0.0:80").And.Contains("CAP_NET_BIND_SERVICE"));
    }

    [Test]
    public void Bug_HasNoSentence()
    {
        Assert.That(StartFault.Of(new InvalidOperationException("a bug")), Is.Null);
        Assert.That(StartFault.Of(new IOException("a disk")), Is.Null);
        Assert.That(StartFault.Of(new SocketException((int)SocketError.ConnectionReset)), Is.Null);
    }
}
