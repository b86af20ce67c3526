using System.Diagnostics.Metrics;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>Listens to the instruments of one front door; other fixtures have front doors of their own at the same time.</summary>
internal static class MeterListeners
{
    /// <summary>Not started yet: callbacks come first.</summary>
    public static MeterListener On(IMeterFactory door, Func<Instrument, bool> which) => new()
    {
        InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == door && which(instrument)) listener.EnableMeasurementEvents(instrument);
        },
    };

    /// <inheritdoc cref="On(IMeterFactory, Func{Instrument, bool})"/>
    public static MeterListener On(IMeterFactory door, string name) => On(door, instrument => instrument.Name == name);
}
