"""An EvseDataRecord of OICP 2.3 with its 16 mandatory fields, and one with every field there is."""


def record(evse_id="DE*ABC*E1", **more):
    return {
        "EvseID": evse_id,
        "ChargingStationNames": [{"lang": "de", "value": "Rathaus"}, {"lang": "en", "value": "Town hall"}],
        "Address": {
            "Country": "DEU",
            "City": "Köln",
            "Street": "Am Hof",
            "PostalCode": "50667",
            "HouseNum": "1a",
        },
        "GeoCoordinates": {"Google": {"Coordinates": "50.938361 6.959974"}},
        "Plugs": ["Type 2 Outlet"],
        "ChargingFacilities": [{"PowerType": "AC_3_PHASE", "Power": 22}],
        "RenewableEnergy": True,
        "CalibrationLawDataAvailability": "Local",
        "AuthenticationModes": ["NFC RFID Classic", "REMOTE"],
        "PaymentOptions": ["Contract"],
        "ValueAddedServices": ["None"],
        "Accessibility": "Free publicly accessible",
        "HotlinePhoneNumber": "+49123456789",
        "IsOpen24Hours": True,
        "IsHubjectCompatible": True,
        "DynamicInfoAvailable": "true",
        **more,
    }


def whole_record(evse_id="DE*ABC*E1"):
    return record(
        evse_id,
        Address={
            "Country": "AUT",
            "City": "Wien",
            "Street": "Ring",
            "PostalCode": "1010",
            "HouseNum": "7",
            "Floor": "EG",
            "Region": "Wien",
            "ParkingFacility": True,
            "ParkingSpot": "E36",
            "TimeZone": "UTC+01:00",
        },
        ChargingFacilities=[
            {"PowerType": "DC", "Power": 150, "Voltage": 400, "Amperage": 99, "ChargingModes": ["Mode_4", "CHAdeMO"]}
        ],
        ChargingPoolID="DE*ABC*P1234*1",
        ChargingStationId="station 1",
        ChargingStationID="station 1",
        HardwareManufacturer="Maker",
        ChargingStationImage="https://pictures.example/1.jpg",
        SubOperatorName="XYZ Technologies",
        DynamicPowerLevel=True,
        EnergySource=[{"Energy": "Solar", "Percentage": 85}, {"Energy": "Wind"}],
        EnvironmentalImpact={"CO2Emission": 30.3, "NuclearWaste": 0},
        MaxCapacity=50,
        AccessibilityLocation="ParkingGarage",
        AdditionalInfo=[{"lang": "en", "value": "behind the barrier"}],
        ChargingStationLocationReference=[{"lang": "de", "value": "hinter der Schranke"}],
        GeoChargingPointEntrance={"DecimalDegree": {"Longitude": "16.37208", "Latitude": "48.20849"}},
        IsOpen24Hours=False,
        OpeningTimes=[{"Period": [{"begin": "09:00", "end": "18:00"}], "on": "Workdays"}],
        HubOperatorID="DE*ABC",
        ClearinghouseID="house",
        deltaType="insert",
        lastUpdate="2026-11-20T14:04:29.377Z",
    )


def data_body(action, *records, operator="DE*ABC", **more):
    data = {"OperatorID": operator, "OperatorName": "ABC technologies", "EvseDataRecord": list(records), **more}
    return {"ActionType": action, "OperatorEvseData": data}
