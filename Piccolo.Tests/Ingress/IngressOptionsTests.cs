using System.Reflection;
using Microsoft.Extensions.Logging;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Ingress;

internal sealed class IngressOptionsTests
{
    [Test]
    public void Validate_Defaults_AreValid() => Assert.That(new IngressOptionsValidator().Validate(null, new IngressOptions()).Succeeded, Is.True);

    [Test]
    public void Validate_EverythingWrong_ReportsAllAtOnce()
    {
        var options = new IngressOptions { ListenAddress = "nowhere", HttpPort = 443 };
        options.AllowedNetworks.Add("192.168.1.0/33");
        options.AllowedHosts.Add("a b");

        Assert.That(new IngressOptionsValidator().Validate(null, options).Failures!.Count(), Is.EqualTo(4));
    }

    [TestCase("any", 1)]
    [TestCase("Loopback", 2)]
    [TestCase("192.168.1.10", 1)]
    public void ParseListenAddress_OfAKnownForm_GivesAddresses(string text, int count) =>
        Assert.That(new IngressOptions { ListenAddress = text }.ParseListenAddress(), Has.Length.EqualTo(count));

    [TestCase("Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288   "
        + "            files     \n", 1024)]
    [TestCase("Max open files            unlimited            unlimited            files     \n", null)]
    [TestCase("Max processes             100                  100                  processes \n", null)]
    [TestCase("", null)]
    public void ParseOpenFiles_OfTheKernelsTable_GivesTheSoftLimit(string limits, long? expected) =>
        Assert.That(OpenFiles.Parse(limits), Is.EqualTo(expected));

    [TestCase(524_288, 261_888)]
    [TestCase(1024, 256)]
    [TestCase(100, 1)]
    public void Affordable_OfFewDescriptors_LeavesSomeForTheRest(long files, int connections) =>
        Assert.That(DescriptorBudget.Affordable(files), Is.EqualTo(connections));

    [Test]
    public void LogEvents_AreUniqueAndInTheirBlock()
    {
        var ids = typeof(IngressLog).GetMethods(BindingFlags.Static | BindingFlags.Public)
            .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>().Select(a => a.EventId).ToList();

        Assert.That(ids, Is.Unique.And.All.InRange(1000, 1099));
        Assert.That(ids, Is.Not.Empty);
    }
}
