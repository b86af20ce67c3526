using System.Collections.Immutable;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>A certificate that the appliance wants to hold: what the remote plan asks of the renewal scheduler.</summary>
/// <param name="Id"><c>portal</c>, <c>host:&lt;fqdn&gt;</c> or <c>alias:&lt;fqdn&gt;</c>.</param>
public sealed record WantedCertificate(string Id, ImmutableArray<DomainName> Names);
